import { once } from 'node:events';
import http from 'node:http';
import { compareInGenerations, underLoad } from './generations.mjs';
import { startProcess } from './measured-process.mjs';
import { versionOf } from './report.mjs';

const SERVER = new URL('../calling-server.mjs', import.meta.url).pathname;
const LOAD = new URL('./load-process.mjs', import.meta.url).pathname;
const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const CONNECTIONS = 8;

/** An upstream that answers a small JSON text, and the environment in which the measured programs find it. */
export async function startSmallUpstream() {
  const server = http.createServer((_req, res) => res.end('{"id":7,"name":"Ada"}'));
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const env = { BENCH_UPSTREAM: `http://127.0.0.1:${server.address().port}` };
  return { env, close: () => server.close().closeAllConnections() };
}

const PLAN_IN_MEMORY = { generations: 20, rounds: 20 };

/**
 * Prints what a request costs in the subjects of `calling-server.mjs`, Express apps that call an upstream, on each Node.
 *
 * @param {[subject: string, comparedTo?: string][]} subjects proxies only, where it is done in memory
 * @param {{ quick: boolean, node: string[], 'in-memory'?: boolean }} commandLine
 */
export async function compareCallingServers(subjects, { quick, node, 'in-memory': isInMemory = false }) {
  if (isInMemory) await compareInMemory(subjects, { quick, node });
  else await compareOverConnections(subjects, { quick, node });
}

async function compareInMemory(subjects, { quick, node }) {
  for (const path of node) {
    const start = (subject) => startInMemory(subject, path);
    const plan = quick ? {} : PLAN_IN_MEMORY;
    console.log(`\nNode ${versionOf(path)}, for each request, in memory\n`);
    console.log(await compareInGenerations(subjects, { quick, plan, start }));
  }
}

async function startInMemory(subject, path) {
  const server = await startProcess(SERVER, { node: path, args: [subject] });
  return {
    measure(requests) {
      return server.cpuDuring(() => server.call('serve', { requests, connections: CONNECTIONS }), requests);
    },
    stop: () => server.stop(),
  };
}

async function compareOverConnections(subjects, { quick, node }) {
  const upstream = await startSmallUpstream();
  const load = await startProcess(LOAD);
  for (const path of node) {
    const start = (subject) => startServer({ subject, path, env: upstream.env, load });
    console.log(`\nNode ${versionOf(path)}, for each request\n`);
    console.log(await compareInGenerations(subjects, { quick, start }));
  }
  await load.stop();
  upstream.close();
}

async function startServer({ subject, path, env, load }) {
  const server = await startProcess(SERVER, { node: path, args: [subject], env });
  return underLoad(server, load, { connections: CONNECTIONS, request: REQUEST });
}
