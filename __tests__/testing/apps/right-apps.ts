import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';
import type { ConformanceOptions } from 'express-hangup/testing';
import { bare, DEADLINE, endOf, fail, hasAnswer, honest, initOf, plain, type SmallApp } from './parts';

const json = async (url: string, signal: AbortSignal, init: RequestInit = {}): Promise<unknown> =>
  (await fetch(url, { ...init, signal })).json();

const post = (body: unknown): RequestInit => ({ method: 'POST', body: JSON.stringify(body) });

const both = { methods: ['GET', 'POST'] } as const satisfies ConformanceOptions;

/** A piece of JSON for each of the calls of the front ends below. */
const byPath: ConformanceOptions['answer'] = ({ path }) =>
  path.includes('user')
    ? { name: 'Ada', cart: { id: 7 } }
    : path.includes('cart')
      ? [{ price: 3 }]
      : { ok: true };

/** Right apps of many shapes, none of which uses express-hangup. */
export const RIGHT_APPS: readonly SmallApp[] = [
  {
    name: 'is a front end that makes two calls, the second one a POST',
    options: { ...both, answer: byPath },
    make: (url) =>
      honest(async (_req, res, signal) => {
        const user = (await json(`${url}/user`, signal)) as { cart: { id: number } };
        res.json(await json(`${url}/orders`, signal, post({ cart: user.cart.id })));
      }),
  },
  {
    name: 'is a front end that makes three calls at once and reads them',
    options: { methods: ['GET'], answer: byPath },
    make: (url) =>
      honest(async (_req, res, signal) => {
        const calls = ['/user', '/cart', '/offers'].map((path) => json(url + path, signal));
        const [user, cart] = (await Promise.all(calls)) as [{ name: string }, { price: number }[]];
        res.json({ name: user.name, total: cart.reduce((sum, { price }) => sum + price, 0) });
      }),
  },
  {
    name: 'sends two POSTs for one',
    options: { methods: ['POST'] },
    make: (url) =>
      honest(async (req, res, signal) => {
        await json(`${url}/audit`, signal, initOf(req));
        res.json(await json(`${url}/audit`, signal, initOf(req)));
      }),
  },
  {
    name: 'has a cache',
    options: { methods: ['GET'], route: '/items/{n}' },
    make: (url) => {
      const cache = new Map<string, unknown>();
      return honest(async (req, res, signal) => {
        const known = cache.get(req.path) ?? (await json(url + req.path, signal));
        cache.set(req.path, known);
        res.json(known);
      });
    },
  },
  {
    name: 'answers 503 with Retry-After in place of 502',
    options: { expect: { all: [503], hang: [504], 'hang-body': [504] } },
    make: (url) =>
      honest((req, res, signal) =>
        json(url, signal, initOf(req)).then(
          (body) => res.json(body),
          (error: unknown) => {
            if (signal.aborted) throw error;
            res.status(503).set('Retry-After', '1').end('later');
          },
        ),
      ),
  },
  {
    name: 'falls back to what it knows',
    options: { methods: ['GET'], expect: { all: ['2xx'] } },
    make: (url) =>
      honest((_req, res, signal) =>
        json(url, signal).then(
          (body) => res.json(body),
          () => res.destroyed || res.json({ stale: true }),
        ),
      ),
  },
  {
    name: 'is GraphQL, whose errors are a 200',
    options: {
      methods: ['POST'],
      body: '{"query":"{ me { name } }"}',
      answer: byPath,
      expect: { all: [200] },
    },
    make: (url) =>
      honest((_req, res, signal) =>
        json(`${url}/user`, signal).then(
          (me) => res.json({ data: { me } }),
          (error: unknown) =>
            res.destroyed ||
            res.json({
              data: null,
              errors: [{ message: signal.aborted ? 'timeout' : (error as Error).name }],
            }),
        ),
      ),
  },
  {
    name: 'hands its work to a queue',
    options: {
      methods: ['POST'],
      expect: { all: [202], slow: [202], ok: [202], stale: [202] },
      background: true,
    },
    make: (url) => {
      const work = async (body: unknown): Promise<void> => {
        await json(`${url}/jobs`, AbortSignal.timeout(DEADLINE), post(body)).catch(() => undefined);
      };
      return honest((req, res) => {
        void work(req.body);
        res.status(202).json({ queued: true });
      });
    },
  },
  {
    name: 'streams an upload through',
    options: {
      methods: ['POST'],
      headers: { 'Content-Type': 'application/octet-stream' },
      body: 'x'.repeat(50_000),
    },
    make: (url) =>
      plain((req, res) => {
        const signal = endOf(res);
        const length = req.headers['content-length'];
        const up = request(
          url,
          { method: 'POST', headers: length === undefined ? {} : { 'content-length': length }, signal },
          (answer) => {
            text(answer).then(
              (body) => res.end(body),
              () => fail(res, signal),
            );
          },
        );
        up.on('error', () => !hasAnswer(up) && fail(res, signal));
        req.pipe(up);
      }),
  },
  {
    name: 'rewrites lines as they come',
    options: { methods: ['GET'], answer: '{"a":1}\n{"a":2}\n{"a":3}\n' },
    make: (url) =>
      plain((_req, res) => {
        const signal = endOf(res);
        const upper = new Transform({
          transform: (bytes: Buffer, _encoding, done) => done(null, String(bytes).toUpperCase()),
        });
        const up = request(url, { signal }, (answer: IncomingMessage) => {
          pipeline(answer, upper, new PassThrough(), res).catch(() => fail(res, signal));
        });
        up.on('error', () => !res.headersSent && fail(res, signal));
        up.end();
      }),
  },
  {
    name: 'lets clients that ask for the same share one call',
    options: { methods: ['GET'] },
    make: (url) => {
      let shared: { body: Promise<unknown>; clients: number; controller: AbortController } | undefined;
      return honest(async (_req, res, signal) => {
        if (!shared) {
          const controller = new AbortController();
          const call = { controller, clients: 0, body: json(url, controller.signal) };
          call.body.catch(() => undefined);
          const forget = (): void => void (shared === call && (shared = undefined));
          call.body.then(forget, forget);
          shared = call;
        }
        const mine = shared;
        mine.clients += 1;
        const gone = new Promise<never>((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            if (--mine.clients === 0) mine.controller.abort();
            reject(new Error('gone'));
          });
        });
        res.json(await Promise.race([mine.body, gone]));
      });
    },
  },
  {
    name: 'serves one request at a time',
    options: { methods: ['GET'] },
    make: (url) => {
      let last: Promise<unknown> = Promise.resolve();
      return honest(async (_req, res, signal) => {
        const turn = last.then(() => json(url, signal));
        last = turn.catch(() => undefined);
        res.json(await turn);
      });
    },
  },
  {
    name: 'fetches a token for its first request',
    options: { answer: ({ path }) => (path === '/token' ? { token: 'abc' } : { ok: true }) },
    make: (url) => {
      let token: string | undefined;
      return honest(async (req, res, signal) => {
        token ??= ((await json(`${url}/token`, signal, post({}))) as { token: string }).token;
        res.json(await json(`${url}/data`, signal, { ...initOf(req), headers: { authorization: token } }));
      });
    },
  },
  {
    name: 'answers an upload before it has ended',
    options: { methods: ['POST'], body: 'x'.repeat(20_000), headers: { 'Content-Type': 'text/plain' } },
    make: (url) =>
      bare(async (req, res) => {
        const signal = endOf(res);
        try {
          const body = await json(url, signal, post({ length: req.headers['content-length'] }));
          res.json(body);
        } catch {
          fail(res, signal);
        }
      }),
  },
  {
    name: 'compresses what it answers',
    make: (url) =>
      honest(async (req, res, signal) => {
        const body = await json(url, signal, initOf(req));
        res
          .set('Content-Encoding', 'gzip')
          .type('json')
          .end(gzipSync(JSON.stringify(body)));
      }),
  },
  {
    name: 'compresses what it passes on',
    options: { methods: ['GET'] },
    make: (url) =>
      honest(async (_req, res, signal) => {
        const answer = await fetch(url, { signal });
        res.set('Content-Encoding', 'gzip').type('json');
        await pipeline(Readable.fromWeb(answer.body as never), createGzip(), res, { signal });
      }),
  },
  {
    name: 'speaks HTTP/2',
    options: { protocol: 'http2' },
    make: (url) =>
      plain((req, res) => {
        const signal = endOf(res);
        text(req)
          .then((body) => json(url, signal, req.method === 'GET' ? {} : { method: 'POST', body }))
          .then(
            (body) => res.end(JSON.stringify(body)),
            () => fail(res, signal),
          );
      }),
  },
  {
    name: 'listens on ::1 alone',
    options: { methods: ['GET'] },
    make: async (url): Promise<Server> => {
      const server = createServer((_req, res) => {
        const signal = endOf(res);
        json(url, signal).then(
          (body) => res.end(JSON.stringify(body)),
          () => fail(res, signal),
        );
      });
      await once(server.listen(0, '::1').unref(), 'listening');
      return server;
    },
  },
];
