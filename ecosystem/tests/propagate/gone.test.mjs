// Nothing global is left patched in a process that did not ask, nor when the last middleware with propagate is gone.
import assert from 'node:assert/strict';
import { execFile as execFileCallback } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';

const execFile = promisify(execFileCallback);

const PROGRAM = `
  import { hasSubscribers } from 'node:diagnostics_channel';
  import { Socket } from 'node:net';
  import { setImmediate } from 'node:timers/promises';
  import { Client, getGlobalDispatcher } from 'undici';
  import { hangup } from 'express-hangup';

  const CHANNELS = [
    'http.client.request.created', 'http.client.request.start',
    'undici:request:create', 'undici:request:trailers', 'undici:request:error',
  ];
  const { connect } = Socket.prototype;
  const { dispatch } = Client.prototype;
  await fetch('data:,').then((response) => response.text());
  const state = () => [
    CHANNELS.filter((name) => hasSubscribers(name)).length,
    Socket.prototype.connect === connect,
    Client.prototype.dispatch === dispatch,
  ];
  const seen = {};
  const kept = [hangup(), hangup({ context: true }), hangup({ propagate: false })];
  seen.without = state();
  let made = [hangup({ propagate: true }), hangup({ propagate: { methods: 'all' } })];
  seen.with = state();
  made.pop();
  const collect = async () => {
    for (let turn = 0; turn < 10; turn++) {
      gc();
      await setImmediate();
    }
  };
  await collect();
  seen.oneLeft = state();
  made = undefined;
  await collect();
  seen.gone = state();
  made = [hangup({ propagate: true })];
  seen.again = state();
  console.log(JSON.stringify({ ...seen, kept: kept.length, made: made.length }));
`;

it('following the calls begins with the first middleware that asks, and ends with the last', async () => {
  const args = ['--expose-gc', '--input-type=module', '-e', PROGRAM];
  const { stdout } = await execFile(process.execPath, args, { cwd: import.meta.dirname });
  const { without, with: on, oneLeft, gone, again } = JSON.parse(stdout);
  assert.deepEqual(without, [0, true, true]);
  assert.deepEqual(on, [5, false, false]);
  assert.deepEqual(oneLeft, [5, false, false]);
  assert.deepEqual(gone, [0, true, true]);
  assert.deepEqual(again, [5, false, false]);
});
