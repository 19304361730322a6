import { parseArgs } from 'node:util';

/** The option of a benchmark whose programs can talk to themselves. */
export const IN_MEMORY = { 'in-memory': { type: 'boolean', default: false } };

/**
 * Reads a benchmark's command line. Known to every benchmark: `--quick` (a smoke run: does it still work?), `--node <path>`
 * (the Node to measure, may be repeated) and `--json` (figures for programs, on stdout, instead of tables).
 *
 * @param {Record<string, { type: 'string' | 'boolean', default?: unknown, multiple?: boolean }>} [more] options of one benchmark
 * @param {{ allowPositionals?: boolean }} [rules] whether there may be arguments without a name; they are `positionals`
 */
export function readCommandLine(more = {}, { allowPositionals = false } = {}) {
  const { values, positionals } = parseArgs({
    allowPositionals,
    options: {
      quick: { type: 'boolean', default: false },
      node: { type: 'string', multiple: true, default: [process.execPath] },
      json: { type: 'boolean', default: false },
      ...more,
    },
  });
  return { ...values, positionals };
}
