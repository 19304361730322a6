import { once } from 'node:events';
import http from 'node:http';
import { startProcess } from './measured-process.mjs';
import { table, versionOf } from './report.mjs';
import { median, quantile } from './statistics.mjs';

const SERVER = new URL('../calling-server.mjs', import.meta.url).pathname;
const LOAD = new URL('./load-process.mjs', import.meta.url).pathname;
const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const FULL = { generations: 7, warmUp: 6000, rounds: 15, requests: 600, connections: 8 };
const QUICK = { generations: 1, warmUp: 50, rounds: 2, requests: 50, connections: 8 };

/**
 * Prints the CPU time for each request of the subjects of `calling-server.mjs`, Express apps that call an upstream, on each
 * Node. Each subject has a process of its own, and they take turns in short rounds. Two processes that run the same code
 * differ by some per cent, so there are several generations of processes. A subject that is compared to itself shows the error
 * of the rest.
 *
 * @param {[subject: string, comparedTo?: string][]} subjects
 * @param {{ quick: boolean, node: string[] }} commandLine
 */
export async function compareCallingServers(subjects, { quick, node }) {
  const plan = quick ? QUICK : FULL;
  const upstream = http.createServer((req, res) => res.end('{"id":7,"name":"Ada"}'));
  upstream.keepAliveTimeout = 600_000;
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const env = { BENCH_UPSTREAM: `http://127.0.0.1:${upstream.address().port}` };
  const load = await startProcess(LOAD);
  for (const path of node) {
    const generations = [];
    for (let i = 0; i < plan.generations; i++) {
      generations.push(
        await measureGeneration(subjects, { ...plan, path, env, load, isReversed: i % 2 === 1 }),
      );
    }
    console.log(`\nNode ${versionOf(path)}, ${plan.generations} generations of processes\n`);
    const headings = ['CPU time for each request', 'µs', 'times', 'compared to', 'each generation'];
    console.log(table(headings, rowsOf(subjects, generations)));
  }
  await load.stop();
  upstream.close().closeAllConnections();
}

/** The lower quartile of each subject's rounds, in microseconds: what else runs on the machine can only add to a round. */
async function measureGeneration(
  subjects,
  { path, env, load, isReversed, warmUp, rounds, requests, connections },
) {
  const servers = [];
  for (const [subject] of subjects)
    servers.push(await startProcess(SERVER, { node: path, args: [subject], env }));
  const send = ({ port }, count) =>
    load.call('run', { port, requests: count, connections, request: REQUEST });
  for (const server of servers) await send(server, warmUp);
  const times = servers.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const turns = [...servers.entries()];
    for (const [i, server] of isReversed ? turns.reverse() : turns) {
      const before = await server.cpu();
      await send(server, requests);
      times[i].push(((await server.cpu()) - before) / requests);
    }
  }
  for (const server of servers) {
    await load.call('close', { port: server.port });
    await server.stop();
  }
  return times.map((each) => quantile(each, 0.25));
}

function rowsOf(subjects, generations) {
  return subjects.map(([subject, comparedTo], i) => {
    const base = subjects.findIndex(([name]) => name === comparedTo);
    const ratios = comparedTo === undefined ? [] : generations.map((times) => times[i] / times[base]);
    return [
      subject,
      median(generations.map((times) => times[i])).toFixed(0),
      ratios.length === 0 ? '' : median(ratios).toFixed(3),
      comparedTo ?? '',
      ratios.map((ratio) => ratio.toFixed(2)).join(' '),
    ];
  });
}
