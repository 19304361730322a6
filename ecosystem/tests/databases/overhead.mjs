// What a query costs this process with and without abortable(), in CPU time:
//   node tests/databases/overhead.mjs [--quick] [--node <path>] [--in-memory]
// --in-memory: a stream in this process answers instead of PostgreSQL, so that no socket adds to the noise, nor to the time that
// the ratio divides by.
import { readCommandLine } from '../../../bench/lib/command-line.mjs';
import { compareInGenerations } from '../../../bench/lib/generations.mjs';
import { startProcess } from '../../../bench/lib/measured-process.mjs';
import { machine, versionOf } from '../../../bench/lib/report.mjs';
import { missingPostgres, startPostgres } from './servers/postgres.mjs';

const CLIENT = new URL('./overhead-client.mjs', import.meta.url).pathname;
const ALONE = 'pg alone';
const WITH_CONTROLLER = 'pg alone, an AbortController for each';
/** Each with what it is compared to. */
const SUBJECTS = [
  [ALONE],
  [ALONE, ALONE],
  ['abortable(), no signal', ALONE],
  ['abortable(), a signal for all', ALONE],
  [WITH_CONTROLLER],
  [WITH_CONTROLLER, WITH_CONTROLLER],
  ['abortable(), a signal for each', WITH_CONTROLLER],
];

const {
  quick,
  node,
  'in-memory': isInMemory,
} = readCommandLine({ 'in-memory': { type: 'boolean', default: false } });
const plan = quick ? {} : { generations: 40, warmUp: 8000, rounds: 24, amount: isInMemory ? 1000 : 250 };

if (!isInMemory && missingPostgres()) {
  console.log(missingPostgres());
  process.exit(0);
}
const server = isInMemory ? undefined : await startPostgres();
const env = server && { POSTGRES: JSON.stringify(server.config) };
for (const path of node) {
  console.log(`\nNode ${versionOf(path)}, for each query; ${machine()}\n`);
  console.log(
    await compareInGenerations(SUBJECTS, { quick, plan, start: (subject) => startClient(path, subject) }),
  );
}
await server?.stop();

async function startClient(node, subject) {
  const client = await startProcess(CLIENT, { node, args: [subject], env });
  return {
    async measure(queries) {
      const before = await client.cpu();
      await client.call('run', queries);
      return ((await client.cpu()) - before) / queries;
    },
    stop: () => client.stop(),
  };
}
