import { judged, mostUnseen } from '../apps/judged';
import { RIGHT_APPS } from '../apps/right-apps';

describe('conformance(): right apps of many shapes', () => {
  it.each(RIGHT_APPS)('does not accuse an app that $name', async (app) => {
    const result = await judged(app);
    result.expectRight();
    expect(result.unseen).toBeLessThan(mostUnseen(app, result.cells.length));
  });
});
