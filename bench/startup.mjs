// What loading the package takes: fresh processes in turn, each timed from its start to its end, less an empty one.
//
//   npm run build && node bench/startup.mjs [--node <path>] [--package <its folder>] [--processes 20] [--quick]
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './lib/statistics.mjs';

const { values } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    package: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
    processes: { type: 'string', default: '20' },
    quick: { type: 'boolean', default: false },
  },
});
const processes = values.quick ? 2 : Number(values.processes);

const ENTRIES = ['', '/upstream', '/proxy', '/pg', '/diagnose', '/testing', '/eslint'];
const empty = programOf([]);
const express = programOf(['express']);
const rows = [
  { name: 'express', program: express, less: empty },
  ...ENTRIES.map((entry) => `express-hangup${entry}`).flatMap((name) => [
    { name, program: programOf([name]), less: empty },
    { name: `${name}, after Express`, program: programOf(['express', name]), less: express },
  ]),
];

/** A package finds itself by its name, and Express beside it, where it is the working directory. */
function programOf(names) {
  return { code: names.map((name) => `require('${name}');`).join(' '), ms: [] };
}

function run({ code, ms }) {
  const startedAt = performance.now();
  execFileSync(values.node, ['-e', code], { cwd: values.package });
  ms.push(performance.now() - startedAt);
}

const programs = [...new Set(rows.flatMap(({ program, less }) => [less, program]))];
// The first of each reads its files from the disk.
for (let round = 0; round <= processes; round++) for (const program of programs) run(program);
const timeOf = ({ ms }) => median(ms.slice(1));

const version = execFileSync(values.node, ['--version'], { encoding: 'utf8' }).trim();
console.log(
  `Node ${version}, median of ${processes} processes; an empty one takes ${timeOf(empty).toFixed(1)} ms\n`,
);
console.log('| require() | ms |\n| --- | --- |');
for (const { name, program, less } of rows)
  console.log(`| ${name} | ${(timeOf(program) - timeOf(less)).toFixed(1)} |`);
