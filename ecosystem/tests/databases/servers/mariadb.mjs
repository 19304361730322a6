// A MariaDB of its own for a test: Debian's mariadbd.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { freePort } from './postgres.mjs';
import { endWithProcess, userForServers } from './user.mjs';

const DAEMON = '/usr/sbin/mariadbd';
const INSTALL = '/usr/bin/mariadb-install-db';

/** Why the tests of MariaDB are skipped; false where they are not. */
export function missingMariadb() {
  return existsSync(DAEMON) && existsSync(INSTALL) ? false : `no MariaDB: neither ${DAEMON} nor ${INSTALL}`;
}

/** Starts a server with an empty database `app`. Gives `{ config, end(), start(), stop() }`: `config` is what a pool takes. */
export async function startMariadb(settings = {}) {
  const user = userForServers();
  const data = mkdtempSync(join(tmpdir(), 'hangup-my-'));
  // A server that starts removes all temporary tables from its directory for them: /tmp, where it is not told another.
  const temporary = join(data, 'tmp');
  mkdirSync(temporary);
  for (const directory of [data, temporary]) chownSync(directory, user.uid, user.gid);
  execFileSync(
    INSTALL,
    [
      '--no-defaults',
      `--datadir=${data}/db`,
      `--tmpdir=${temporary}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ],
    { ...user, cwd: data, env: { ...process.env, HOME: data }, stdio: 'pipe' },
  );
  const port = await freePort();
  const socketPath = join(data, 'my.sock');
  const config = { host: '127.0.0.1', port, user: 'root', database: 'app' };
  const lines = {
    datadir: `${data}/db`,
    tmpdir: temporary,
    port,
    socket: socketPath,
    'bind-address': '127.0.0.1',
    'pid-file': join(data, 'pid'),
    'innodb-flush-log-at-trx-commit': 0,
    ...settings,
  };
  let server;
  const start = async () => {
    server = spawn(
      DAEMON,
      ['--no-defaults', ...Object.entries(lines).map(([name, value]) => `--${name}=${value}`)],
      {
        ...user,
        cwd: data,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
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
  const root = await mysql.createConnection({ ...config, database: undefined });
  await root.query('CREATE DATABASE app');
  await root.end();
  return {
    config,
    socketPath,
    data,
    user,
    start,
    end,
    async stop() {
      await end('SIGKILL');
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
      if (log.includes('ready for connections')) resolve();
    });
    server.once('exit', () => reject(new Error(`MariaDB did not start:\n${log}`)));
    server.once('error', reject);
  });
}

/** What the server is doing: its processlist. */
export async function watchProcesses(config) {
  const connection = await mysql.createConnection(config);
  // A test may kill this server.
  connection.on('error', () => {});
  return {
    async running(mark) {
      const [rows] = await connection.query(
        'SELECT id, info FROM information_schema.processlist WHERE info LIKE ? AND id <> CONNECTION_ID()',
        [`%${mark}%`],
      );
      return rows;
    },
    async until(mark, count) {
      const start = performance.now();
      while ((await this.running(mark)).length !== count) {
        if (performance.now() - start > 10_000) throw new Error(`After 10 s not ${count} of ${mark} run`);
      }
      return performance.now() - start;
    },
    async killAll() {
      const [rows] = await connection.query(
        'SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND command = "Query"',
      );
      for (const { id } of rows) await connection.query(`KILL ${id}`).catch(() => {});
    },
    query: (...args) => connection.query(...args),
    close: () => connection.end(),
  };
}
