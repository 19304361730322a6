import { fork } from 'node:child_process';

/**
 * Starts a file as a process of its own and waits until it says where it listens. `onMessage` gets whatever else it says.
 */
export async function startProcess(file, { env = {}, onMessage = () => {} } = {}) {
  const child = fork(file, { env: { ...process.env, ...env } });
  const exited = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const url = await new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (message.listening) resolve(message.listening);
      else onMessage(message);
    });
    child.once('error', reject);
    exited.then(({ code, signal }) =>
      reject(new Error(`${file} ended (${code ?? signal}) before it listened`)),
    );
  });
  return {
    url,
    pid: child.pid,
    exited,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}
