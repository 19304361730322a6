import { conformance, faultyUpstream } from 'express-hangup/testing';
import { DEADLINE } from './apps/parts';
import { RIGHT_APPS } from './apps/right-apps';

describe('conformance(): right apps of many shapes', () => {
  it('are at least 20', () => {
    expect(RIGHT_APPS.length).toBeGreaterThanOrEqual(20);
  });

  it.each(RIGHT_APPS)('does not accuse an app that $name', async ({ make, options }) => {
    const upstream = await faultyUpstream();
    const result = await conformance(make(upstream.url) as never, {
      upstream,
      deadline: DEADLINE,
      ...options,
    });
    await upstream.close();
    result.expectRight();
    // A cell in which the app had no time to call before its client left is not seen; hardly any is, but of a queue.
    const most = options?.background === true ? 2 : 10;
    expect(result.unseen).toBeLessThan(result.cells.length / most);
  });
});
