// What a query costs this process with and without abortable(), in CPU time:
//   node tests/databases/overhead.mjs [--quick] [--node <path>] [--generations <n>] [--in-memory]
// Two processes that run the same program differ by some per cent, because V8 compiles at different moments. So each subject
// gets a process in each of many generations; within a generation they take turns in short blocks. A generation gives one ratio
// for each subject; shown is their median, and between which two of them the true median lies in 95 of 100 cases. "once more" is
// the same program as what it is compared to: its distance from 1 is the error of the others. --in-memory: a stream in this
// process answers instead of PostgreSQL, so that no socket adds to the noise, nor to the time that the ratio divides by.
import { parseArgs } from 'node:util';
import { startProcess } from '../../../bench/lib/measured-process.mjs';
import { machine, table, versionOf } from '../../../bench/lib/report.mjs';
import { median, quantile } from '../../../bench/lib/statistics.mjs';
import { missingPostgres, startPostgres } from './servers/postgres.mjs';

const CLIENT = new URL('./overhead-client.mjs', import.meta.url).pathname;
const ALONE = 'pg alone';
const WITH_CONTROLLER = 'pg alone, an AbortController for each';
/** Each with what it is compared to. */
const SUBJECTS = [
  [ALONE],
  ['pg alone, once more', ALONE],
  ['abortable(), no signal', ALONE],
  ['abortable(), a signal for all', ALONE],
  [WITH_CONTROLLER],
  ['pg alone, an AbortController for each, once more', WITH_CONTROLLER],
  ['abortable(), a signal for each', WITH_CONTROLLER],
];
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    node: { type: 'string', default: process.execPath },
    generations: { type: 'string' },
    'in-memory': { type: 'boolean', default: false },
  },
});
const isInMemory = values['in-memory'];
const full = { generations: 40, warmUp: 8000, blocks: 24, queries: isInMemory ? 1000 : 250 };
const plan = values.quick ? { generations: 2, warmUp: 100, blocks: 3, queries: 100 } : full;
if (values.generations) plan.generations = Number(values.generations);

if (!isInMemory && missingPostgres()) {
  console.log(missingPostgres());
  process.exit(0);
}
const server = isInMemory ? undefined : await startPostgres();
const env = server && { POSTGRES: JSON.stringify(server.config) };
const times = Object.fromEntries(SUBJECTS.map(([subject]) => [subject, []]));
for (let generation = 0; generation < plan.generations; generation += 1) {
  for (const [subject, time] of Object.entries(await measureGeneration())) times[subject].push(time);
}
await server?.stop();
console.log(`Node ${versionOf(values.node)}, ${plan.generations} generations; ${machine()}\n`);
const BETWEEN = '95 of 100 times between';
console.log(table(['CPU time of a query', 'µs', 'more', BETWEEN, 'times', BETWEEN], SUBJECTS.map(rowOf)));

/**
 * The CPU time of a query in µs, for each subject in a process of its own: the 10th percentile of the blocks, because whatever
 * else runs on the machine can only add to a block.
 */
async function measureGeneration() {
  const clients = {};
  for (const [subject] of SUBJECTS) {
    clients[subject] = await startProcess(CLIENT, { node: values.node, args: [subject], env });
    await clients[subject].call('run', plan.warmUp);
  }
  const blocks = Object.fromEntries(SUBJECTS.map(([subject]) => [subject, []]));
  const order = Object.keys(clients);
  for (let block = 0; block < plan.blocks; block += 1) {
    // Each comes first as often as the others, and behind each of its neighbours as often as before it.
    order.push(order.shift());
    if (block % order.length === 0) order.reverse();
    for (const subject of order) blocks[subject].push(await measure(clients[subject]));
  }
  for (const client of Object.values(clients)) await client.stop();
  return Object.fromEntries(Object.entries(blocks).map(([subject, list]) => [subject, quantile(list, 0.1)]));
}

async function measure(client) {
  const before = await client.cpu();
  await client.call('run', plan.queries);
  return ((await client.cpu()) - before) / plan.queries;
}

function rowOf([subject, base]) {
  const own = times[subject];
  const micros = median(own).toFixed(1);
  if (base === undefined) return [subject, micros, '', '', '', ''];
  const more = own.map((time, i) => time - times[base][i]);
  const ratios = own.map((time, i) => time / times[base][i]);
  return [subject, micros, ...withInterval(more, 2), ...withInterval(ratios, 3)];
}

/** The median, and the two values between which the median of all possible ones lies, by the binomial distribution. */
function withInterval(list, digits) {
  const sorted = [...list].sort((a, b) => a - b);
  const rank = Math.max(0, Math.floor(sorted.length / 2 - 0.98 * Math.sqrt(sorted.length)));
  const ends = [sorted[rank], sorted[sorted.length - 1 - rank]];
  return [median(list).toFixed(digits), ends.map((end) => end.toFixed(digits)).join(' and ')];
}
