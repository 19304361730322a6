import { parseArgs } from 'node:util';

/**
 * Reads a benchmark's command line. Known to every benchmark: `--quick` (a smoke run: does it still work?), `--node <path>`
 * (the Node to measure, may be repeated) and `--json` (figures for programs, on stdout, instead of tables).
 *
 * @param {Record<string, { type: 'string' | 'boolean', default?: unknown, multiple?: boolean }>} [more] options of one benchmark
 */
export function readCommandLine(more = {}) {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      node: { type: 'string', multiple: true, default: [process.execPath] },
      json: { type: 'boolean', default: false },
      ...more,
    },
  });
  return values;
}
