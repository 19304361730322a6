import express, { type RequestHandler } from 'express';
import { hangup } from 'express-hangup';
import type { Upstream } from 'express-hangup/upstream';
import { gate, serve } from '../../fixtures/serve';
import { client, scriptedUpstream, undicis } from '../scripted-upstream';

/** More than a socket and undici hold between them: the connection is busy until somebody reads. */
const BIG = Buffer.alloc(3_000_000, 'x');

type Call = (users: Upstream, req: express.Request | null) => Promise<{ status: number; body: any }>;

const kinds: [string, Call][] = [
  [
    'fetch()',
    async (users, req) => {
      const { status, body } = await users.fetch(req, '/');
      return { status, body };
    },
  ],
  [
    'request()',
    async (users, req) => {
      const { statusCode, body } = await users.request(req, '/');
      return { status: statusCode, body };
    },
  ],
];

const cases = undicis().flatMap(([version, undici]) =>
  kinds.map(([kind, call]) => [`${kind} on ${version}`, undici, call] as const),
);

describe.each(cases)('a body that is left unread, by %s', (_name, undici, call) => {
  async function app(
    handler: (call: () => ReturnType<Call>, ...args: Parameters<RequestHandler>) => unknown,
    { withHangup = true } = {},
  ): Promise<{ url: string; users: Upstream; upstream: Awaited<ReturnType<typeof scriptedUpstream>> }> {
    const upstream = await scriptedUpstream((_req, res) => res.writeHead(404).end(BIG));
    const users = client(undici, upstream.origin, { connections: 2 });
    const server = express();
    if (withHangup) server.use(hangup());
    server.get('/', (req, res, next) => handler(() => call(users, req), req, res, next));
    const { url } = await serve(server);
    return { url, users, upstream };
  }

  it.each([[true], [false]])(
    'keeps no connection from the calls after it (with hangup(): %p)',
    async (withHangup) => {
      const { url } = await app(
        async (fetchIt, _req, res) => {
          const { status } = await fetchIt();
          if (status === 404) res.status(404).end('nothing here');
        },
        { withHangup },
      );
      for (let n = 0; n < 12; n++) expect((await fetch(url)).status).toBe(404);
    },
  );

  it('is given up when the request is over, and its socket closed', async () => {
    const { url, upstream } = await app(async (fetchIt, _req, res) => {
      await fetchIt();
      res.end();
    });
    await (await fetch(url)).text();
    await upstream.empty();
    expect(upstream.opened).toBe(1);
  });

  it('is given up a second after the response where that came late', async () => {
    const answered = gate();
    const { url, upstream } = await app(async (fetchIt, _req, res) => {
      res.on('close', answered.open);
      res.end();
      await answered.promise;
      await fetchIt();
    });
    await (await fetch(url)).text();
    await upstream.arrived(1);
    await upstream.empty();
    expect(upstream.opened).toBe(1);
  });

  it('is not given up while somebody reads it, though the request is over', async () => {
    const read = gate<number>();
    const { url } = await app(async (fetchIt, _req, res) => {
      const { body } = await fetchIt();
      let bytes = 0;
      const closed = new Promise((resolve) => res.on('close', resolve));
      res.end();
      for await (const chunk of body) {
        if (bytes === 0) await closed;
        bytes += (chunk as Buffer).length;
      }
      read.open(bytes);
    });
    await (await fetch(url)).text();
    expect(await read.promise).toBe(BIG.length);
  });

  it('occupies nothing once it has been read', async () => {
    const { url, users } = await app(async (fetchIt, _req, res) => {
      const { body } = await fetchIt();
      let bytes = 0;
      for await (const chunk of body) bytes += (chunk as Buffer).length;
      res.json(bytes);
    });
    expect(await (await fetch(url)).json()).toBe(BIG.length);
    expect(users.stats().endpoints[0]!.inFlight).toBe(0);
  });
});
