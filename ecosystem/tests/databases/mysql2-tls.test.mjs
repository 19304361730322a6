// express-hangup/mysql2 against a MariaDB that takes connections over TLS only.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { abortable } from 'express-hangup/mysql2';
import mysql from 'mysql2/promise';
import { TEST_CA, TEST_CERTIFICATES, TEST_KEY } from '../test-certificates.mjs';
import { missingMariadb, startMariadb, watchProcesses } from './servers/mariadb.mjs';
import { userForServers } from './servers/user.mjs';

describe('abortable() pools of mysql2 over TLS', { skip: missingMariadb() }, () => {
  let folder;
  let server;
  let processes;

  before(async () => {
    folder = filesOf({ 'ca.crt': TEST_CA, 'server.crt': TEST_CERTIFICATES.trusted, 'server.key': TEST_KEY });
    server = await startMariadb({
      'ssl-ca': join(folder, 'ca.crt'),
      'ssl-cert': join(folder, 'server.crt'),
      'ssl-key': join(folder, 'server.key'),
    });
    processes = await watchProcesses({ ...server.config, ssl: { ca: TEST_CA }, host: 'localhost' });
    await processes.query('SET GLOBAL require_secure_transport = ON');
  });
  after(async () => {
    await processes?.close();
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  it('send KILL QUERY over TLS, to a server whose certificate they check, and keep the connection', async () => {
    await assert.rejects(mysql.createConnection(server.config), /secure transport|Access denied/);
    const config = { ...server.config, host: 'localhost', ssl: { ca: TEST_CA, verifyIdentity: true } };
    const pool = abortable(mysql.createPool({ ...config, connectionLimit: 1 }));
    const id = async () => (await pool.query('SELECT CONNECTION_ID() id'))[0][0].id;
    const first = await id();
    const leaver = new AbortController();
    const reason = new Error('gone');
    const ended = assert.rejects(
      pool.query({ sql: 'SELECT SLEEP(60) /* tls */', signal: leaver.signal }),
      (error) => error === reason,
    );
    await processes.until('/* tls */', 1);
    leaver.abort(reason);
    await ended;
    await processes.until('/* tls */', 0);
    assert.equal(await id(), first);
    await pool.end();
  });
});

/** A folder of the server's user with these files, which nobody else can read. */
function filesOf(files) {
  const { uid, gid } = userForServers();
  const folder = mkdtempSync(join(tmpdir(), 'hangup-tls-'));
  chownSync(folder, uid, gid);
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    writeFileSync(file, text);
    chmodSync(file, 0o600);
    chownSync(file, uid, gid);
  }
  return folder;
}
