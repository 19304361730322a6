import { execFileSync } from 'node:child_process';

/** The user for servers that refuse to run as root: `nobody` if this process is root's, otherwise this process's own. */
export function userForServers() {
  if (process.getuid() !== 0) return { uid: process.getuid(), gid: process.getgid() };
  const id = (flag) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

const servers = new Set();

/** Ends a server with this process, also when a test takes too long and the process is ended. */
export function endWithProcess(server) {
  if (servers.size === 0) {
    process.once('SIGTERM', () => process.exit(143));
    process.once('exit', () => servers.forEach((running) => running.kill('SIGKILL')));
  }
  servers.add(server);
  server.once('exit', () => servers.delete(server));
  return server;
}
