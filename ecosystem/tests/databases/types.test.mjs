// abortable() as TypeScript sees it, beside the real types of pg and mysql2.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const HERE = dirname(fileURLToPath(import.meta.url));

const OPTIONS = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  target: ts.ScriptTarget.ES2022,
  types: ['node'],
};

const PG = `
import { abortable } from 'express-hangup/pg';
import pg from 'pg';
const db = abortable(new pg.Pool(), { cancelTimeout: 1000 });
const signal = new AbortController().signal;
interface Row { id: number }
`;

const MYSQL2 = `
import { abortable } from 'express-hangup/mysql2';
import mysql from 'mysql2/promise';
import type { RowDataPacket } from 'mysql2';
const db = abortable(mysql.createPool({}));
const signal = new AbortController().signal;
interface Row extends RowDataPacket { id: number }
`;

const RIGHT = {
  'a pool of pg, which stays one': `${PG} const pool: pg.Pool = db; void pool;`,
  'pool.query() of pg with a signal, and gives typed rows': `${PG}
    const { rows } = await db.query<Row>({ text: 'SELECT 1', values: [1], signal }); const id: number = rows[0]!.id; void id;`,
  'pool.query() of pg as before': `${PG} const { rows } = await db.query<Row>('SELECT $1', [1]); const id: number = rows[0]!.id; void id;`,
  'pool.query() of pg with a callback': `${PG} db.query('SELECT 1', (error: Error, result) => void [error, result.rows]);`,
  'pool.connect() of pg with a signal, and gives a PoolClient whose queries take one': `${PG}
    const client = await db.connect({ signal }); const same: pg.PoolClient = client; void same;
    await client.query<Row>({ text: 'SELECT 1', signal }); await client.query('BEGIN'); client.release();`,
  'pool.connect() of pg as before': `${PG} const client = await db.connect(); client.release(true);`,
  'an abortable() pool of pg where a library takes a pool': `${PG}
    function take(pool: { query(text: string): Promise<unknown>; connect(): Promise<pg.PoolClient> }) { return pool; } take(db);`,
  'a pool of mysql2, which stays one': `${MYSQL2} const pool: mysql.Pool = db; void pool;`,
  'pool.query() of mysql2 with a signal, and gives typed rows': `${MYSQL2}
    const [rows] = await db.query<Row[]>({ sql: 'SELECT 1', values: [1], signal }); const id: number = rows[0]!.id; void id;`,
  'pool.execute() of mysql2 with a signal': `${MYSQL2} const [rows] = await db.execute<Row[]>({ sql: 'SELECT ?', values: [1], signal }); void rows;`,
  'pool.query() of mysql2 as before': `${MYSQL2} const [rows] = await db.query<Row[]>('SELECT ?', [1]); void rows;`,
  'pool.getConnection() of mysql2 with a signal, and gives a PoolConnection': `${MYSQL2}
    const connection = await db.getConnection({ signal }); const same: mysql.PoolConnection = connection; void same; connection.release();`,
};

const WRONG = {
  'a signal that is none, with pg': [`${PG} await db.query({ text: 'SELECT 1', signal: 5 });`, 'AbortSignal'],
  'rows of another type, with pg': [
    `${PG} const { rows } = await db.query<Row>({ text: 'SELECT 1', signal }); const id: string = rows[0]!.id; void id;`,
    "'number' is not assignable to type 'string'",
  ],
  'a Client of pg in the place of a Pool': [
    `import { abortable } from 'express-hangup/pg'; import pg from 'pg'; abortable(new pg.Client());`,
    'not assignable',
  ],
  'an option that there is not': [
    `import { abortable } from 'express-hangup/pg'; import pg from 'pg'; abortable(new pg.Pool(), { timeout: 5 });`,
    'timeout',
  ],
  'a signal that is none, with mysql2': [
    `${MYSQL2} await db.query({ sql: 'SELECT 1', signal: 5 });`,
    'signal',
  ],
};

describe('abortable() in TypeScript', () => {
  const errors = compile({
    ...RIGHT,
    ...Object.fromEntries(Object.entries(WRONG).map(([name, [code]]) => [name, code])),
  });

  for (const name of Object.keys(RIGHT)) {
    it(`takes ${name}`, () => assert.deepEqual(errors.get(name), []));
  }
  for (const [name, [, words]] of Object.entries(WRONG)) {
    it(`refuses ${name}`, () => assert.match(errors.get(name).join('\n'), new RegExp(words)));
  }
});

/** What TypeScript says of each program, by name. They are files of this folder that stand only in memory. */
function compile(programs) {
  const names = Object.keys(programs);
  const sources = new Map(
    names.map((name, i) => [join(HERE, `program-${i}.mts`), `${programs[name]}\nexport {};\n`]),
  );
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) =>
    sources.has(path)
      ? ts.createSourceFile(path, sources.get(path), ts.ScriptTarget.ES2022)
      : getSourceFile(path, ...rest);
  const program = ts.createProgram([...sources.keys()], OPTIONS, host);
  return new Map(
    names.map((name, i) => {
      const file = program.getSourceFile([...sources.keys()][i]);
      const diagnostics = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
      return [name, diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))];
    }),
  );
}
