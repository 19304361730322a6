// What loading the package takes, in fresh processes that take turns: CPU time (user and system) and wall time of require().
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
const NAMES = ['express', ...ENTRIES.map((entry) => `express-hangup${entry}`)];
const rows = [
  ...NAMES.map((name) => ({ title: name, before: '', name, cpuMs: [], wallMs: [] })),
  {
    title: 'express-hangup, where Express is loaded',
    before: "require('express');",
    name: 'express-hangup',
    cpuMs: [],
    wallMs: [],
  },
];

function programOf({ before, name }) {
  return `${before}
    const { cpuUsage, hrtime } = process;
    const [cpu, startedAt] = [cpuUsage(), hrtime.bigint()];
    require('${name}');
    const [{ user, system }, endedAt] = [cpuUsage(cpu), hrtime.bigint()];
    console.log(JSON.stringify([(user + system) / 1e3, Number(endedAt - startedAt) / 1e6]));`;
}

function measure(row) {
  // A package finds itself by its name, and Express beside it, where it is the working directory.
  const args = ['-e', programOf(row)];
  const [cpuMs, wallMs] = JSON.parse(
    execFileSync(values.node, args, { cwd: values.package, encoding: 'utf8' }),
  );
  row.cpuMs.push(cpuMs);
  row.wallMs.push(wallMs);
}

// The first of each reads its files from the disk.
for (let round = 0; round <= processes; round++) rows.forEach(measure);

const version = execFileSync(values.node, ['--version'], { encoding: 'utf8' }).trim();
console.log(`Node ${version}, median of ${processes} processes\n`);
console.log('| require() | CPU ms | wall ms |\n| --- | --- | --- |');
for (const { title, cpuMs, wallMs } of rows)
  console.log(`| ${title} | ${median(cpuMs.slice(1)).toFixed(1)} | ${median(wallMs.slice(1)).toFixed(1)} |`);
