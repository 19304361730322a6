import { fork } from 'node:child_process';
import { once } from 'node:events';

/**
 * Starts a program in a process of its own and talks to it over IPC. The program answers requests by `answer()` of
 * `commands.mjs`; `cpu`, `memory` and `gc` are known to every program.
 *
 * @param {string} file the program
 * @param {{ args?: string[], node?: string, execArgv?: string[], env?: NodeJS.ProcessEnv, under?: string[] }} [options]
 *   `node`: the binary that runs it; default this process's own. `under`: a command that runs Node, for instance valgrind.
 */
export async function startProcess(
  file,
  { args = [], node = process.execPath, execArgv = [], env, under = [] } = {},
) {
  const [execPath, ...before] = [...under, node];
  const child = fork(file, args, {
    execPath,
    execArgv: [...before, '--expose-gc', ...execArgv],
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map();
  let lastId = 0;
  child.on('message', ({ id, result, error }) => {
    const call = waiting.get(id);
    if (call === undefined) return;
    waiting.delete(id);
    if (error === undefined) call.resolve(result);
    else call.reject(new Error(`${file} ${args.join(' ')}: ${error}`));
  });
  child.on('exit', (code, signal) => {
    for (const call of waiting.values()) {
      call.reject(new Error(`${file} ${args.join(' ')} ended early (${String(code ?? signal)})`));
    }
    waiting.clear();
  });

  /** Calls a command of the program. */
  function call(command, argument) {
    return new Promise((resolve, reject) => {
      const id = ++lastId;
      waiting.set(id, { resolve, reject });
      child.send({ id, command, argument }, (error) => error && reject(error));
    });
  }

  const ready = await call('ready');
  return {
    ...ready,
    pid: child.pid,
    call,
    /** CPU time of the process so far, user and system together, in microseconds. */
    cpu: () => call('cpu'),
    /** CPU time of the process while something runs, for each of so many steps, in microseconds. */
    async cpuDuring(run, steps) {
      const before = await call('cpu');
      await run();
      return ((await call('cpu')) - before) / steps;
    },
    /** `process.memoryUsage()` of the process, after a full garbage collection. */
    memory: () => call('memory'),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}
