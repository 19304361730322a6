// Checks the rows of docs/cancelling.md: the line stands there, and does to the real thing what the row says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { ask, gate, serve } from '../propagate/world.mjs';

const page = readFileSync(new URL('../../../docs/cancelling.md', import.meta.url), 'utf8');

/** `AbortError ABORT_ERR`, and `← …` for what caused it: as the last column of the tables says it. */
export function inWords(error) {
  const words = [];
  for (let at = error; at instanceof Error && words.length < 4; at = at.cause) {
    // Some SDKs leave `name` as it is: then the class.
    const name = at.name === 'Error' ? at.constructor.name : at.name;
    words.push(at.code === undefined || at.code === null ? name : `${name} ${at.code}`);
  }
  return words.join(' ← ');
}

/**
 * One row: `begin(req)` does what `line` says, in a request whose client leaves once `underWay` has resolved; `error` is what
 * it then rejects with, and `stopped` resolves when the work has really ended.
 */
export function row(line, { begin, underWay, error, stopped }) {
  it(`stops: ${line}`, async () => {
    const documented = page.split('\n').find((text) => text.startsWith('|') && text.includes(`\`${line}\``));
    assert.ok(documented, `docs/cancelling.md has no row with this line: ${line}`);
    const words = error.replaceAll('REASON', 'AbortError CLIENT_CLOSED_REQUEST');
    const told = documented
      .replaceAll('the reason', '`AbortError CLIENT_CLOSED_REQUEST`')
      .replaceAll('`', '');
    assert.ok(told.includes(words), `the row says another error than ${words}: ${documented}`);
    const seen = gate();
    const app = await serve(
      async (req) => {
        try {
          seen.open(await begin(req));
        } catch (reason) {
          seen.open(reason);
        }
      },
      { deadline: 60_000 },
    );
    const client = await ask(app.port);
    await underWay?.();
    client.leave();
    assert.equal(inWords(await seen.promise), words);
    await stopped?.();
    await app.close();
  });
}
