import { execFile } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { subscribeAll } from '../src/subscribe-all';

const STOPPED_AND_BEGUN_AGAIN = `
  const { createServer } = require('node:http');
  const turn = () => new Promise(setImmediate);
  const { subscribeAll } = require('./src/subscribe-all');
  let heard = 0;
  const listeners = { 'undici:request:create': () => (heard += 1) };
  const server = createServer((req, res) => res.end()).listen(0, '127.0.0.1', async () => {
    const url = 'http://127.0.0.1:' + server.address().port;
    subscribeAll(listeners)();
    await turn();
    gc();
    await (await fetch(url)).text();
    await turn();
    subscribeAll(listeners);
    await (await fetch(url)).text();
    process.stdout.write(String(heard), () => process.exit());
  });
`;

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

  // Fails on Node 20 only: later versions do not forget a channel that is in use.
  it('hears of calls after a stop, a garbage collection and the first use of fetch', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', '-r', 'esbuild-register', '-e', STOPPED_AND_BEGUN_AGAIN],
      { cwd: join(__dirname, '..') },
    );
    expect(stdout).toBe('1');
  });
});
