// What a query costs this process with and without abortable(), in CPU time:
//   node tests/databases/overhead.mjs [--quick] [--node <path>]
// Each subject in a process of its own, since what one does changes how V8 compiles the other; they take turns in short
// blocks, so that all see the same weather. Shown is the median of the ratios of neighbouring blocks, and the least time.
import { parseArgs } from 'node:util';
import { startProcess } from '../../../bench/lib/measured-process.mjs';
import { missingPostgres, startPostgres } from './servers/postgres.mjs';

const CLIENT = new URL('./overhead-client.mjs', import.meta.url).pathname;
/** Each after what it is compared to. */
const SUBJECTS = [
  ['pg alone'],
  ['pg alone, once more', 'pg alone'],
  ['abortable(), no signal', 'pg alone'],
  ['abortable(), a signal for all', 'pg alone'],
  ['pg alone, an AbortController for each'],
  ['abortable(), a signal for each', 'pg alone, an AbortController for each'],
];
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    node: { type: 'string', default: process.execPath },
  },
});
const plan = values.quick
  ? { warmUp: 100, blocks: 3, queries: 100 }
  : { warmUp: 10_000, blocks: 41, queries: 1000 };

if (missingPostgres()) {
  console.log(missingPostgres());
  process.exit(0);
}
const server = await startPostgres();
const env = { POSTGRES: JSON.stringify(server.config) };
const clients = [];
for (const [subject] of SUBJECTS) {
  const client = await startProcess(CLIENT, { node: values.node, args: [subject], env });
  await client.call('run', plan.warmUp);
  clients.push(client);
}
const times = new Map(SUBJECTS.map(([subject]) => [subject, []]));
for (let block = 0; block < plan.blocks; block += 1) {
  for (const [i, [subject]] of SUBJECTS.entries()) times.get(subject).push(await measure(clients[i]));
}
for (const [subject, base] of SUBJECTS) {
  const list = times.get(subject);
  const ratios = base && list.map((time, i) => time / times.get(base)[i]);
  const compared = ratios
    ? `${median(ratios).toFixed(3)} times (quartiles ${quartile(ratios, 0.25)} to ${quartile(ratios, 0.75)})`
    : '';
  console.log(
    `${subject.padEnd(40)} ${median(list).toFixed(1)} µs, at least ${Math.min(...list).toFixed(1)} ${compared}`,
  );
}
await Promise.all(clients.map((client) => client.stop()));
await server.stop();

/** CPU time of a query, in µs. */
async function measure(client) {
  const before = await client.cpu();
  await client.call('run', plan.queries);
  return ((await client.cpu()) - before) / plan.queries;
}

function median(list) {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
}

function quartile(list, share) {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length * share)].toFixed(3);
}
