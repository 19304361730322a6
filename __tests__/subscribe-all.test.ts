import { channel } from 'node:diagnostics_channel';
import { subscribeAll } from '../src/subscribe-all';

describe('subscribeAll()', () => {
  const name = 'express-hangup-test:subscribe-all';

  it('makes what a listener throws a warning, once, and keeps calling it', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const seen: unknown[] = [];
    const end = subscribeAll({
      [name]: (message: unknown) => {
        seen.push(message);
        throw new Error('a field is missing');
      },
    });
    channel(name).publish(1);
    channel(name).publish(2);
    end();
    channel(name).publish(3);
    expect(seen).toEqual([1, 2]);
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(`${name}: Error: a field is missing`), { code: 'EXPRESS_HANGUP_CHANNEL' }],
    ]);
    warn.mockRestore();
  });
});
