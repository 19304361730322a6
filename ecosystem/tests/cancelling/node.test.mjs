// docs/cancelling.md: what Node itself offers.
import assert from 'node:assert/strict';
import { execFile as execFileCallback, spawn } from 'node:child_process';
import { EventEmitter, on, once } from 'node:events';
import { createReadStream } from 'node:fs';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, it } from 'node:test';
import { setInterval, setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gate } from '../propagate/world.mjs';
import { row } from './rows.mjs';

const execFile = promisify(execFileCallback);
const ABORT_ERR = 'AbortError ABORT_ERR ← REASON';
const SLEEP = 'setTimeout(() => {}, 60_000)';

/** Whether a process with this id exists. */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('docs/cancelling.md, Node itself', () => {
  let child;
  const childGone = async () => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    assert.equal(isAlive(child.pid), false);
  };

  row('execFile(file, args, { signal: req.signal })', {
    begin(req) {
      const running = execFile(process.execPath, ['-e', SLEEP], { signal: req.signal });
      ({ child } = running);
      return running;
    },
    error: ABORT_ERR,
    stopped: childGone,
  });

  row('spawn(file, args, { signal: req.signal })', {
    begin(req) {
      child = spawn(process.execPath, ['-e', SLEEP], { signal: req.signal });
      return once(child, 'exit');
    },
    error: ABORT_ERR,
    stopped: childGone,
  });

  it('kills only the shell of exec(), not what the shell has started: the page warns of it', async () => {
    const controller = new AbortController();
    const shell = spawn(`${process.execPath} -e "console.log(process.pid); ${SLEEP}" & wait`, {
      shell: true,
      signal: controller.signal,
    });
    shell.on('error', () => {});
    const [text] = await once(shell.stdout, 'data');
    controller.abort();
    await once(shell, 'exit');
    assert.equal(isAlive(Number(text)), true);
    process.kill(Number(text), 'SIGKILL');
  });

  let worker;
  row("req.signal.addEventListener('abort', () => void worker.terminate())", {
    async begin(req) {
      worker = new Worker('for (;;);', { eval: true });
      await once(worker, 'online');
      req.signal.addEventListener('abort', () => void worker.terminate());
      const [code] = await once(worker, 'exit');
      return Object.assign(new Error('exit'), { name: 'exit', code });
    },
    underWay: async () => {
      while (worker === undefined) await setTimeout(1);
      await once(worker, 'online');
    },
    error: 'exit 1',
  });

  row('setTimeout(ms, value, { signal: req.signal })', {
    begin: (req) => setTimeout(60_000, 0, { signal: req.signal }),
    error: ABORT_ERR,
  });

  row('setInterval(ms, value, { signal: req.signal })', {
    async begin(req) {
      for await (const ignored of setInterval(60_000, 0, { signal: req.signal })) void ignored;
    },
    error: ABORT_ERR,
  });

  const emitter = new EventEmitter();
  row("once(emitter, 'done', { signal: req.signal })", {
    begin: (req) => once(emitter, 'done', { signal: req.signal }),
    error: ABORT_ERR,
    stopped: () => assert.equal(emitter.listenerCount('done'), 0),
  });

  row("on(emitter, 'item', { signal: req.signal })", {
    async begin(req) {
      for await (const ignored of on(emitter, 'item', { signal: req.signal })) void ignored;
    },
    error: ABORT_ERR,
    stopped: () => assert.equal(emitter.listenerCount('item'), 0),
  });

  const source = new PassThrough();
  row('pipeline(source, target, { signal: req.signal })', {
    begin: (req) => pipeline(source, new PassThrough(), { signal: req.signal }),
    error: ABORT_ERR,
    stopped: () => assert.equal(source.destroyed, true),
  });

  let file;
  row('createReadStream(path, { signal: req.signal })', {
    async begin(req) {
      file = createReadStream('/dev/zero', { signal: req.signal });
      for await (const ignored of file) void ignored;
    },
    error: ABORT_ERR,
    stopped: () => assert.equal(file.destroyed, true),
  });

  const cancelled = gate();
  row('readable.pipeTo(writable, { signal: req.signal })', {
    begin(req) {
      const readable = new globalThis.ReadableStream({ cancel: cancelled.open });
      return readable.pipeTo(Writable.toWeb(new PassThrough()), { signal: req.signal });
    },
    error: 'REASON',
    stopped: () => cancelled.promise,
  });

  row('req.signal.throwIfAborted()', {
    async begin(req) {
      for (;;) {
        req.signal.throwIfAborted();
        await new Promise(setImmediate);
      }
    },
    error: 'REASON',
  });

  row('Readable.from(rows, { signal: req.signal })', {
    async begin(req) {
      const endless = (function* () {
        for (;;) yield 'row';
      })();
      for await (const item of Readable.from(endless, { signal: req.signal }))
        await new Promise((resolve) => setImmediate(resolve, item));
    },
    error: ABORT_ERR,
  });
});
