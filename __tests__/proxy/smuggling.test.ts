import express, { type RequestHandler } from 'express';
import http from 'node:http';
import http2 from 'node:http2';
import { once } from 'node:events';
import { RawClient } from '../fixtures/raw-client';
import { listen } from '../fixtures/serve';
import { createProxy, proxyApp, proxyVersions, type AnyOptions, type Hpm } from './fixture';
import { wireUpstream, type Reading, type WireUpstream } from './wire-upstream';

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Rest: ';
const SIZE = SMUGGLED.length;
const CHUNKS = `${SIZE.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;

/** Heads and bodies that somebody could read in two ways. Node refuses many of them, and may. */
const SHAPES: Record<string, string> = {
  chunks: `Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  'chunks in capitals': `TRANSFER-ENCODING: CHUNKED\r\n\r\n${CHUNKS}`,
  'chunks with extensions': `Transfer-Encoding: chunked\r\n\r\n${SIZE.toString(16)};a=b;c="d"\r\n${SMUGGLED}\r\n0;e\r\n\r\n`,
  'chunks with an extension that holds a line feed': `Transfer-Encoding: chunked\r\n\r\n${SIZE.toString(16)};a\nb\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  'chunks with leading zeros': `Transfer-Encoding: chunked\r\n\r\n000${SIZE.toString(16)}\r\n${SMUGGLED}\r\n000\r\n\r\n`,
  'chunks with trailers': `Transfer-Encoding: chunked\r\nTrailer: x\r\n\r\n${CHUNKS.slice(0, -2)}X: y\r\nContent-Length: 9\r\n\r\n`,
  'chunks ended by bare line feeds': `Transfer-Encoding: chunked\n\n${CHUNKS}`,
  'chunks inside gzip': `Transfer-Encoding: gzip, chunked\r\n\r\n${CHUNKS}`,
  'chunks that are not last': `Transfer-Encoding: chunked, identity\r\n\r\n${CHUNKS}`,
  'chunks by a name that is not theirs': `Transfer-Encoding: xchunked\r\n\r\n${CHUNKS}`,
  'chunks behind a tab': `Transfer-Encoding:\tchunked\r\n\r\n${CHUNKS}`,
  'chunks behind a vertical tab': `Transfer-Encoding: \vchunked\r\n\r\n${CHUNKS}`,
  'chunks on a folded line': `Transfer-Encoding:\r\n chunked\r\n\r\n${CHUNKS}`,
  'chunks behind a space before the colon': `Transfer-Encoding : chunked\r\n\r\n${CHUNKS}`,
  'chunks announced twice': `Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  'chunks that Connection names': `Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  'an encoding without a name, and a length': `Transfer-Encoding: \r\nContent-Length: ${SIZE}\r\n\r\n${SMUGGLED}`,
  'identity, and a length': `Transfer-Encoding: identity\r\nContent-Length: ${SIZE}\r\n\r\n${SMUGGLED}`,
  'a length': `Content-Length: ${SIZE}\r\n\r\n${SMUGGLED}`,
  'a length and chunks': `Content-Length: ${CHUNKS.length}\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  'chunks and a length of none': `Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n${CHUNKS}`,
  'a length twice': `Content-Length: ${SIZE}\r\nContent-Length: ${SIZE}\r\n\r\n${SMUGGLED}`,
  'two lengths': `Content-Length: 0\r\nContent-Length: ${SIZE}\r\n\r\n${SMUGGLED}`,
  'a list of lengths': `Content-Length: 0, ${SIZE}\r\n\r\n${SMUGGLED}`,
  'a length with a sign': `Content-Length: +${SIZE}\r\n\r\n${SMUGGLED}`,
  'a length in hexadecimal': `Content-Length: 0x${SIZE.toString(16)}\r\n\r\n${SMUGGLED}`,
  'a length on a folded line': `Content-Length:\r\n ${SIZE}\r\n\r\n${SMUGGLED}`,
  'a length behind a bare carriage return': `X: y\rContent-Length: ${SIZE}\r\n\r\n${SMUGGLED}`,
  'a length that Connection names': `Connection: Content-Length\r\nContent-Length: ${SIZE}\r\n\r\n${SMUGGLED}`,
  'a length that Connection names among others': `Connection: keep-alive, content-length\r\nContent-Length: ${SIZE}\r\n\r\n${SMUGGLED}`,
  'a length and an expectation': `Expect: 100-continue\r\nContent-Length: ${SIZE}\r\n\r\n${SMUGGLED}`,
  'an upgrade and a length': `Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: ${SIZE}\r\n\r\n${SMUGGLED}`,
  'an upgrade and chunks': `Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  'no body, and bytes behind it': `\r\n${SMUGGLED}`,
};

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const READINGS: Reading[] = ['chunks first', 'length first', 'without what Connection names'];

const agents: [string, () => AnyOptions][] = [
  ['its own agent', () => ({})],
  ['the user’s keep-alive agent', () => ({ agent: new http.Agent({ keepAlive: true }) })],
];

/** Sends what an attacker sends, and waits until it is answered or cut. */
async function attack(port: number, bytes: string): Promise<void> {
  const client = await RawClient.connect(port);
  client.send(bytes);
  // Where the answer is that of a HEAD, its announced body never comes: the head is enough.
  await client.received('\r\n\r\n').catch(() => undefined);
  client.leave('fin');
}

async function askAsVictim(port: number): Promise<string> {
  const client = await RawClient.connect(port);
  client.request('/victim');
  const { body } = await client.response();
  client.leave('fin');
  return body;
}

/** The requests that the upstream has read, which must be those that were sent. */
function pathsOf({ requests }: WireUpstream): Set<string | undefined> {
  return new Set(requests.map(({ line }) => line.split(' ')[1]));
}

async function attackerAndVictim(
  hpm: Hpm,
  reading: Reading,
  proxy: AnyOptions,
  before: RequestHandler[] = [],
): Promise<{ upstream: WireUpstream; port: number }> {
  const upstream = await wireUpstream(reading);
  const { port } = await proxyApp(hpm, upstream.url, { proxy, before });
  return { upstream, port };
}

describe.each(proxyVersions)('request smuggling, %s', (_name, hpm) => {
  it.each(['DELETE', 'OPTIONS'])(
    'has no way in by a %s with chunks: its body is no request, and the victim gets its own answer',
    async (method) => {
      const { upstream, port } = await attackerAndVictim(hpm, 'chunks first', {});
      // The connection that attacker and victim would share.
      expect(await askAsVictim(port)).toBe('GET /victim HTTP/1.1');

      const attacker = await RawClient.connect(port);
      attacker.send(`${method} /attack HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`);
      const answer = await attacker.response();

      expect(answer.body).toBe(`${method} /attack HTTP/1.1`);
      expect(await askAsVictim(port)).toBe('GET /victim HTTP/1.1');
      expect(upstream.requests.map(({ line, body }) => [line, body])).toEqual([
        ['GET /victim HTTP/1.1', ''],
        [`${method} /attack HTTP/1.1`, SMUGGLED],
        ['GET /victim HTTP/1.1', ''],
      ]);
      attacker.leave('fin');
    },
  );

  it('has no way in by a connection that has carried chunks: it is not used again, whatever the upstream says', async () => {
    const { upstream, port } = await attackerAndVictim(hpm, 'chunks first', {});

    await attack(port, `POST /attack HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`);
    await askAsVictim(port);

    expect(upstream.requests.map(({ connection }) => connection)).toEqual([0, 1]);
  });

  describe.each(agents)('by an upstream that reads no body of a GET, with %s', (_agent, options) => {
    it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS'])(
      'gives the victim no answer to what a %s carried: its connection is not used again',
      async (method) => {
        const { upstream, port } = await attackerAndVictim(
          hpm,
          'no bodies of methods that need none',
          options(),
        );
        expect(await askAsVictim(port)).toBe('GET /victim HTTP/1.1');

        await attack(
          port,
          `${method} /attack HTTP/1.1\r\nHost: a\r\nContent-Length: ${SIZE}\r\n\r\n${SMUGGLED}`,
        );

        expect(await askAsVictim(port)).toBe('GET /victim HTTP/1.1');
        expect(upstream.requests.map(({ line, connection }) => [line, connection])).toEqual([
          ['GET /victim HTTP/1.1', 0],
          [`${method} /attack HTTP/1.1`, 0],
          ['GET /victim HTTP/1.1', 1],
        ]);
      },
    );
  });

  describe.each(agents)('with %s', (_agent, options) => {
    it.each(READINGS)(
      'has no way in by whatever framing and method, where an upstream reads %s',
      async (reading) => {
        const { upstream, port } = await attackerAndVictim(hpm, reading, options());
        const failed: string[] = [];
        let seen = 0;

        for (const method of METHODS) {
          for (const [shape, rest] of Object.entries(SHAPES)) {
            upstream.requests.length = 0;
            await attack(port, `${method} /attack HTTP/1.1\r\nHost: a\r\n${rest}`);
            const body = await askAsVictim(port);
            const paths = pathsOf(upstream);
            if (paths.has('/attack')) seen += 1;
            const isClean = [...paths].every((path) => path === '/attack' || path === '/victim');
            if (body !== 'GET /victim HTTP/1.1' || !isClean) failed.push(`${method} with ${shape}`);
          }
        }

        expect(failed).toEqual([]);
        // Those that Node lets through.
        expect(seen).toBeGreaterThan(50);
      },
    );
  });

  it('has no way in by a body that a parser has eaten, where an upstream answers before it comes', async () => {
    const { upstream, port } = await attackerAndVictim(hpm, 'answers at the head', {}, [express.json()]);
    const body = JSON.stringify({ a: 'x'.repeat(60) });

    const attacker = await RawClient.connect(port);
    attacker.request('/attack', { body });

    // Not the upstream's answer: the head must not go out without its body.
    expect((await attacker.response()).status).toBe(500);
    expect(await askAsVictim(port)).toBe('GET /victim HTTP/1.1');
    expect(pathsOf(upstream)).toEqual(new Set(['/victim']));
    attacker.leave('fin');
  });

  it('tells how to send a body again that a parser has eaten', async () => {
    const upstream = await wireUpstream('length first');
    const { port, errors } = await proxyApp(hpm, upstream.url, { before: [express.json()] });
    const client = await RawClient.connect(port);

    client.request('/', { body: '{"a":1}' });
    await client.response();

    expect(errors).toEqual([
      expect.objectContaining({ message: expect.stringContaining('fixRequestBody') as string }),
    ]);
    client.leave('fin');
  });

  it('has no way in by a handler that writes more than it announces', async () => {
    const { upstream, port } = await attackerAndVictim(
      hpm,
      'length first',
      {
        on: {
          proxyReq: (proxyReq) => {
            proxyReq.setHeader('content-length', 0);
            proxyReq.write(`${SMUGGLED}\r\n\r\n`);
          },
        },
      },
      [express.json()],
    );
    const client = await RawClient.connect(port);

    client.request('/attack', { body: '{"a":1}' });

    expect((await client.response()).status).toBe(500);
    expect([...pathsOf(upstream)]).toEqual([]);
    client.leave('fin');
  });

  it('finds no length beside the chunks that a body parser and fixRequestBody leave behind', async () => {
    const upstream = await wireUpstream('length first');
    const proxy = { on: { proxyReq: hpm.fixRequestBody } };
    const { port } = await proxyApp(hpm, upstream.url, { before: [express.json()], proxy });
    const client = await RawClient.connect(port);

    client.send(
      'POST /attack HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '7\r\n{"a":1}\r\n0\r\n\r\n',
    );
    await client.response();

    const { headers, body } = upstream.requests[0]!;
    expect([headers['content-length'], headers['transfer-encoding'], body]).toEqual([
      '7',
      undefined,
      '{"a":1}',
    ]);
    client.leave('fin');
  });

  it('finds no body behind a WebSocket handshake, whose refusal ends the connection', async () => {
    const upstream = await wireUpstream('length first');
    const agent = new http.Agent({ keepAlive: true });
    const proxy = createProxy(hpm, { target: upstream.url, agent });
    const { port, server } = await listen(
      http.createServer((req, res) => void proxy(req as never, res as never)),
    );
    server.on('upgrade', (req, socket, head) => proxy.upgrade(req as never, socket as never, head));
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';

    await attack(port, `GET /attack HTTP/1.1\r\nHost: a\r\n${upgrade}Content-Length: 26\r\n\r\n`);

    expect(await askAsVictim(port)).toBe('GET /victim HTTP/1.1');
    const seen = upstream.requests.map(({ line, connection }) => [line, connection]);
    // Node 26 gives a handshake with a body no socket: the proxy refuses it before the upstream hears of it.
    const victimAlone = [['GET /victim HTTP/1.1', 0]];
    const afterTheAttack = [
      ['GET /attack HTTP/1.1', 0],
      ['GET /victim HTTP/1.1', 1],
    ];
    expect([victimAlone, afterTheAttack]).toContainEqual(seen);
    agent.destroy();
  });
});

describe('request smuggling over HTTP/2, http-proxy-middleware 4', () => {
  const [, hpm] = proxyVersions[0]!;

  it.each(['GET', 'DELETE', 'OPTIONS', 'POST'])(
    'has no way in by a %s whose body has no length',
    async (method) => {
      const upstream = await wireUpstream('chunks first');
      const proxy = createProxy(hpm, { target: upstream.url });
      const server = http2.createServer(
        (req, res) => void proxy(req as never, res as never, () => res.end()),
      );
      const { port } = (await listen(server as never)) as { port: number };
      const session = http2.connect(`http://127.0.0.1:${port}`);

      const stream = session.request({ ':method': method, ':path': '/attack' }, { endStream: false });
      stream.end(`${SMUGGLED}\r\n\r\n`);
      await once(stream.resume(), 'end');
      const victim = session.request({ ':path': '/victim' });
      await once(victim.resume(), 'end');

      expect(upstream.requests.map(({ line, body }) => [line, body])).toEqual([
        [`${method} /attack HTTP/1.1`, `${SMUGGLED}\r\n\r\n`],
        ['GET /victim HTTP/1.1', ''],
      ]);
      session.destroy();
    },
  );
});
