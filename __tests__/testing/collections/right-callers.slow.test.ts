import { judged, mostUnseen } from '../apps/judged';
import { RIGHT_CALLERS } from '../apps/right-callers';

describe('conformance(): right apps that call with many clients', () => {
  it.each(RIGHT_CALLERS)('does not accuse an app that $name', async (app) => {
    const result = await judged(app);
    result.expectRight();
    expect(result.unseen).toBeLessThan(mostUnseen(app, result.cells.length));
  });
});
