// The kit and what else people test failures with. Each tool answers as it is told, by the means that it has for it; what it
// has no means for is left out. `with(fault, url => …)` sets it up, gives the URL to call, and takes it down. A tool is loaded
// when it is used, in a process of its own: most of them change node:http or fetch for the whole process.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';

const packages = join(import.meta.dirname, '../../../node_modules');
/** The version of a package that is installed here; `undefined` where it is not. */
export function versionOf(name) {
  const file = join(packages, name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

const BODY = '{"ok":true,"filler":"0123456789"}';

/** Half of the body, then an error. */
function* half() {
  yield Buffer.from(BODY.slice(0, 10));
  throw new Error('cut');
}

const kit = {
  name: 'faultyUpstream()',
  faults: ['hang', 'reset', 'close', 'close-body', 'garbage', 'refuse', 'stale'],
  async with(fault, use) {
    const { faultyUpstream } = await import('express-hangup/testing');
    const upstream = await faultyUpstream(fault === 'refuse' ? {} : { fault });
    if (fault === 'refuse') await upstream.refuse();
    try {
      return await use(upstream.url);
    } finally {
      await upstream.close();
    }
  },
};

const nockReplies = {
  hang: (it) => it.delay(60_000).reply(200, BODY),
  reset: (it) => it.replyWithError(Object.assign(new Error('reset'), { code: 'ECONNRESET' })),
  refuse: (it) => it.replyWithError(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })),
  'close-body': (it) => it.reply(200, () => Readable.from(half())),
};

const nocked = {
  name: 'nock',
  version: versionOf('nock'),
  faults: Object.keys(nockReplies),
  async with(fault, use) {
    const { default: nock } = await import('nock');
    nockReplies[fault](nock('http://upstream.test').get('/').times(9));
    try {
      return await use('http://upstream.test');
    } finally {
      nock.abortPendingRequests();
      nock.cleanAll();
      nock.restore();
      nock.activate();
    }
  },
};

const mswReplies = {
  hang: ({ delay }) => delay('infinite'),
  reset: ({ HttpResponse }) => HttpResponse.error(),
  'close-body': ({ HttpResponse }) =>
    new HttpResponse(
      new ReadableStream({
        start: (controller) => controller.enqueue(Buffer.from(BODY.slice(0, 10))),
        pull: (controller) => controller.error(new Error('cut')),
      }),
    ),
};

const mswed = {
  name: 'msw',
  version: versionOf('msw'),
  faults: Object.keys(mswReplies),
  async with(fault, use) {
    const msw = await import('msw');
    const { setupServer } = await import('msw/node');
    const server = setupServer(msw.http.get('http://upstream.test/', () => mswReplies[fault](msw)));
    server.listen();
    try {
      return await use('http://upstream.test');
    } finally {
      server.close();
    }
  },
};

const mockReplies = {
  hang: (it) => it.reply(200, BODY).delay(60_000),
  reset: (it) => it.replyWithError(Object.assign(new Error('reset'), { code: 'ECONNRESET' })),
  refuse: (it) => it.replyWithError(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })),
};

const mocked = {
  name: 'MockAgent',
  version: versionOf('undici'),
  faults: Object.keys(mockReplies),
  async with(fault, use) {
    const { getGlobalDispatcher, MockAgent, setGlobalDispatcher } = await import('undici');
    const before = getGlobalDispatcher();
    const agent = new MockAgent();
    setGlobalDispatcher(agent);
    agent.disableNetConnect();
    agent.enableNetConnect(/^127\.0\.0\.1/);
    mockReplies[fault](agent.get('http://upstream.test').intercept({ path: '/' })).times(9);
    try {
      return await use('http://upstream.test');
    } finally {
      setGlobalDispatcher(before);
      void agent.close().catch(() => undefined);
    }
  },
};

const wireFaults = {
  hang: { status: 200, body: BODY, fixedDelayMilliseconds: 60_000 },
  reset: { fault: 'CONNECTION_RESET_BY_PEER' },
  close: { fault: 'EMPTY_RESPONSE' },
  'close-body': { fault: 'MALFORMED_RESPONSE_CHUNK' },
  garbage: { fault: 'RANDOM_DATA_THEN_CLOSE' },
};

const hasJava = spawnSync('java', ['-version']).status === 0;

async function startWireMock() {
  // The package holds the JAR.
  const jar = join(packages, `wiremock/build/wiremock-standalone-${versionOf('wiremock')}.jar`);
  const args = ['-Xmx256m', '-jar', jar, '--port', '0', '--bind-address', '127.0.0.1', '--disable-banner'];
  const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  let port;
  while (port === undefined) {
    const [bytes] = await once(child.stdout, 'data');
    said += bytes;
    port = /port:\s+(\d+)/.exec(said)?.[1];
  }
  child.stdout.resume();
  process.on('exit', () => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  // The first answer of a Java machine takes its time.
  await (await fetch(`${url}/__admin/mappings`)).text();
  return url;
}

let wireMock;

const wired = {
  name: 'WireMock',
  version: versionOf('wiremock'),
  faults: Object.keys(wireFaults),
  async with(fault, use) {
    const url = await (wireMock ??= startWireMock());
    await fetch(`${url}/__admin/mappings`, { method: 'DELETE' });
    const mapping = { request: { method: 'ANY', url: '/' }, response: wireFaults[fault] };
    const init = { method: 'POST', body: JSON.stringify(mapping) };
    const { status } = await fetch(`${url}/__admin/mappings`, init);
    if (status !== 201) throw new Error(`WireMock did not take the mapping: ${status}`);
    return use(url);
  },
};

const needs22 = typeof Promise.withResolvers === 'function' ? undefined : 'its interceptors need Node 22';
function whyNoWireMock() {
  if (versionOf('wiremock') === undefined) return 'the package wiremock is not installed';
  return hasJava ? undefined : 'WireMock needs Java';
}

/** All of them; `why` says why one cannot be run here. */
export const tools = [
  kit,
  { ...nocked, why: needs22 },
  { ...mswed, why: needs22 },
  mocked,
  { ...wired, why: whyNoWireMock() },
];
