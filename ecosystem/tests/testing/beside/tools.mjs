// The kit and what else people test failures with. Each tool answers as it is told, by the means that it has for it; what it
// has no means for is left out. `with(fault, url => …)` sets it up, gives the URL to call, and takes it down.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { faultyUpstream } from 'express-hangup/testing';
import { delay, http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import nock from 'nock';
import { getGlobalDispatcher, MockAgent, setGlobalDispatcher } from 'undici';

const require = createRequire(import.meta.url);
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
  name: `nock ${require('nock/package.json').version}`,
  faults: Object.keys(nockReplies),
  async with(fault, use) {
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
  hang: () => delay('infinite'),
  reset: () => HttpResponse.error(),
  'close-body': () =>
    new HttpResponse(
      new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from(BODY.slice(0, 10)));
        },
        pull(controller) {
          controller.error(new Error('cut'));
        },
      }),
    ),
};

const mswed = {
  name: `msw ${require('msw/package.json').version}`,
  faults: Object.keys(mswReplies),
  async with(fault, use) {
    const server = setupServer(http.get('http://upstream.test/', mswReplies[fault]));
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
  name: `undici's MockAgent ${require('undici/package.json').version}`,
  faults: Object.keys(mockReplies),
  async with(fault, use) {
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

/** The package holds the JAR. */
const wireMockFolder = dirname(require.resolve('wiremock/package.json'));
const wireMockVersion = require('wiremock/package.json').version;

export const hasJava = spawnSync('java', ['-version']).status === 0;

async function startWireMock() {
  const jar = join(wireMockFolder, `build/wiremock-standalone-${wireMockVersion}.jar`);
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
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const wired = {
  name: `WireMock ${wireMockVersion}`,
  faults: Object.keys(wireFaults),
  async with(fault, use) {
    const { url, stop } = await startWireMock();
    try {
      const mapping = { request: { method: 'ANY', url: '/' }, response: wireFaults[fault] };
      const { status } = await fetch(`${url}/__admin/mappings`, {
        method: 'POST',
        body: JSON.stringify(mapping),
      });
      if (status !== 201) throw new Error(`WireMock did not take the mapping: ${status}`);
      return await use(url);
    } finally {
      await stop();
    }
  },
};

export const tools = [kit, nocked, mswed, mocked, ...(hasJava ? [wired] : [])];
