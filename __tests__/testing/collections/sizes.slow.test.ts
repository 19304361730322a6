import { DEFECTS_BETWEEN_REQUESTS } from '../apps/defects-between-requests';
import { DEFECTS_IN_ANSWERS } from '../apps/defects-in-answers';
import { DEFECTS_IN_CALLS } from '../apps/defects-in-calls';
import { DEFECTS_THAT_CRASH } from '../apps/defects-that-crash';
import { RIGHT_APPS } from '../apps/right-apps';
import { RIGHT_CALLERS } from '../apps/right-callers';

describe('conformance(): the collections', () => {
  it('have at least 45 apps with one defect each, and at least 20 right ones', () => {
    const defective = [
      ...[DEFECTS_IN_ANSWERS, DEFECTS_IN_CALLS, DEFECTS_THAT_CRASH, DEFECTS_BETWEEN_REQUESTS],
    ].flat();
    expect(defective.length).toBeGreaterThanOrEqual(45);
    expect(RIGHT_APPS.length + RIGHT_CALLERS.length).toBeGreaterThanOrEqual(20);
  });
});
