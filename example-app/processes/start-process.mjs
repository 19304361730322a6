import { fork } from 'node:child_process';

const running = new Set();
let isOver = false;

/**
 * Starts a file as a process of its own and waits until it says where it listens. `onMessage` gets whatever else it says.
 */
export async function startProcess(file, { env = {}, onMessage = () => {} } = {}) {
  if (isOver) return new Promise(() => {});
  const child = fork(file, { env: { ...process.env, ...env } });
  const exited = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const stop = (signal = 'SIGTERM') => {
    child.kill(signal);
    return exited;
  };
  running.add(stop);
  exited.then(() => running.delete(stop));

  const url = await new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (message.listening) resolve(message.listening);
      else onMessage(message);
    });
    child.once('error', reject);
    exited.then(({ code, signal }) => {
      if (!isOver) reject(new Error(`${file} ended (${code ?? signal}) before it listened`));
    });
  });
  return { url, pid: child.pid, exited, stop };
}

/** Ends every process that was started, also one that does not listen yet; none is started any more. */
export async function stopProcesses() {
  isOver = true;
  await Promise.all([...running].map((stop) => stop()));
}
