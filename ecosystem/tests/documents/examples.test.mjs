// Every example of the documents that does not say of itself who runs it, or why nobody does, runs here: alone, with the names that
// its document gives it, before a service that answers. Each path that it mounts answers 200.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { missingPostgres, startPostgres } from '../databases/servers/postgres.mjs';
import { codeBlocksOf, documentText, DOCUMENTS, givenToAll } from './blocks.mjs';
import { runExample } from './run-example.mjs';

const pages = DOCUMENTS.filter((path) => !path.startsWith('docs/rules/'));

describe('the examples of the documents', () => {
  let postgres;
  before(async () => {
    if (missingPostgres()) return;
    postgres = await startPostgres();
    const { host, port, user, database } = postgres.config;
    Object.assign(process.env, { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database });
    const client = new pg.Client();
    await client.connect();
    await client.query('CREATE TABLE slow_report AS SELECT 7 AS total');
    await client.end();
  });
  after(() => postgres?.stop());

  for (const page of pages) {
    const text = documentText(page);
    const blocks = codeBlocksOf(text).filter(({ language }) => language === 'js' || language === 'ts');
    for (const [at, block] of blocks.entries()) {
      if (block.runBy !== undefined || block.notRun !== undefined) continue;
      const skip = /SELECT/.test(block.code) && missingPostgres();
      it(`${page}, example ${at + 1}, under "${block.heading}"`, { skip }, async (t) => {
        const given = [
          ...new Set([...givenToAll(text).filter((name) => block.code.includes(name)), ...block.given]),
        ];
        const statuses = await runExample(t, { code: block.code, given });
        for (const [path, status] of Object.entries(statuses)) assert.equal(status, 200, path);
      });
    }
  }
});
