// A PostgreSQL with an empty database, in a folder of its own that goes with it.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Starts the server from the package in `root`, and gives what a pool takes to connect to it. It ends with this process. */
export async function startPostgres(root) {
  const user = userOfServer();
  const data = mkdtempSync(join(tmpdir(), 'hangup-example-'));
  if (user) chownSync(data, user.uid, user.gid);
  let server;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      if (server?.kill('SIGQUIT')) await once(server, 'exit');
      process.exit(0);
    });
  }
  process.once('exit', () => {
    // At once, as if it crashed: nothing in it is worth keeping.
    server?.kill('SIGQUIT');
    rmSync(data, { recursive: true, force: true, maxRetries: 3 });
  });

  const bin = join(root, 'native/bin');
  // npm may have been told to run no package's scripts: this one makes the links to the libraries.
  const script = join(root, 'scripts/hydrate-symlinks.js');
  if (existsSync(script)) execFileSync(process.execPath, [script], { cwd: root });
  const locale = ['-E', 'UTF8', '--locale=C'];
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', ...locale, '--no-sync'], {
    ...user,
    stdio: ['ignore', 'ignore', 'inherit'],
  });

  const port = await freePort();
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    `unix_socket_directories=${data}`,
    'fsync=off',
  ];
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  server = spawn(join(bin, 'postgres'), args, { ...user, stdio: ['ignore', 'ignore', 'pipe'] });
  await untilReady(server);
  return { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' };
}

/** PostgreSQL refuses to run as root. */
function userOfServer() {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** The server says so in its log. */
function untilReady(server) {
  return new Promise((resolve, reject) => {
    let log = '';
    server.stderr.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-10_000);
      if (log.includes('ready to accept connections')) resolve();
    });
    server.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${log}`)));
    server.once('error', reject);
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
