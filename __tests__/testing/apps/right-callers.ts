import { Agent, createServer, request, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import axios from 'axios';
import express, { type NextFunction, type Request, type Response } from 'express';
import express4 from 'express4';
import { createProxyMiddleware } from 'http-proxy-middleware3';
import superagent from 'superagent';
import { Agent as UndiciAgent, request as undiciRequest } from 'undici';
import { nativeRequire } from '../../fixtures/native-require';
import { endOf, fail, hasAnswer, honest, initOf, plain, type SmallApp } from './parts';

const json = async (url: string, signal: AbortSignal, init: RequestInit = {}): Promise<unknown> =>
  (await fetch(url, { ...init, signal })).json();

const nodeFetch = nativeRequire('node-fetch2') as typeof fetch;

/** Right apps that call with the clients and servers there are, none of which uses express-hangup. */
export const RIGHT_CALLERS: readonly SmallApp[] = [
  {
    name: 'reads the answer with fetch',
    make: (url) => honest(async (req, res, signal) => res.json(await json(url, signal, initOf(req)))),
  },
  {
    name: 'passes the answer on as it comes',
    make: (url) =>
      honest(async (req, res, signal) => {
        const answer = await fetch(url, initOf(req, signal));
        await pipeline(Readable.fromWeb(answer.body as never), res, { signal });
      }),
  },
  {
    name: 'is a gateway of http-proxy-middleware 3 with the rest written by hand',
    make: (url) => {
      const app = express();
      app.use((_req, res, next) => {
        res.locals.signal = endOf(res);
        next();
      });
      const agent = new Agent({ keepAlive: false });
      app.use(
        createProxyMiddleware<Request, Response>({
          target: url,
          agent,
          selfHandleResponse: true,
          on: {
            proxyReq: (up, _req, res) => {
              const signal = res.locals.signal as AbortSignal;
              signal.addEventListener('abort', () => up.destroy());
            },
            proxyRes: (answer, _req, res) => {
              res.writeHead(answer.statusCode ?? 502, { 'content-type': 'application/json' });
              pipeline(answer, res).catch(() => fail(res, undefined));
            },
            error: (_error, _req, res) => {
              const response = res as Response;
              fail(response, response.locals.signal as AbortSignal);
            },
          },
        }),
      );
      return app;
    },
  },
  {
    name: 'calls with axios',
    make: (url) =>
      honest(async (req, res, signal) => {
        const { data } = await axios.request<unknown>({
          url,
          method: req.method,
          data: req.body as unknown,
          signal,
        });
        res.json(data);
      }),
  },
  {
    name: 'calls with superagent',
    options: { methods: ['GET'] },
    make: (url) =>
      honest(async (_req, res, signal) => {
        const call = superagent.get(url).retry(0);
        signal.addEventListener('abort', () => {
          call.abort();
        });
        const { text: answer } = await call;
        res.type('json').send(answer);
      }),
  },
  {
    name: 'calls with node-fetch 2',
    // It does not notice that a body of known length was closed too early, and waits for the deadline.
    options: { expect: { 'close-body': [502, 504] } },
    make: (url) =>
      honest(async (req, res, signal) => {
        const answer = await nodeFetch(url, initOf(req, signal));
        res.json(await answer.json());
      }),
  },
  {
    name: 'calls with undici on two connections',
    make: (url) => {
      const dispatcher = new UndiciAgent({ connections: 2 });
      return honest(async (req, res, signal) => {
        const { body } = await undiciRequest(url, { ...(initOf(req, signal) as object), dispatcher });
        res.json(await body.json());
      });
    },
  },
  {
    name: 'runs on Express 4',
    make: (url) => {
      const app = express4().use(express4.json());
      app.use((req: Request, res: Response, next: NextFunction) => {
        const signal = endOf(res);
        json(url, signal, initOf(req)).then((body) => res.json(body), next);
        res.locals.signal = signal;
      });
      app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) =>
        fail(res, res.locals.signal as AbortSignal),
      );
      return app;
    },
  },
  {
    name: 'is a server of Node with a keep-alive agent',
    options: { methods: ['GET'] },
    make: (url) => {
      const agent = new Agent({ keepAlive: true });
      return plain((_req, res) => {
        const signal = endOf(res);
        const up = request(url, { agent, signal }, (answer) => {
          text(answer).then(
            (body) => res.end(body),
            () => fail(res, signal),
          );
        });
        up.on('error', () => !hasAnswer(up) && fail(res, signal));
        up.end();
      });
    },
  },
  {
    name: 'asks once more with a GET',
    make: (url) =>
      honest((req, res, signal) =>
        json(url, signal, initOf(req))
          .catch((error: unknown) => {
            if (signal.aborted || req.method !== 'GET') throw error;
            return json(url, signal);
          })
          .then((body) => res.json(body)),
      ),
  },
  {
    name: 'says Connection: close in every answer',
    options: { methods: ['GET'] },
    make: (url) =>
      honest(async (_req, res, signal) => {
        res.set('Connection', 'close');
        res.json(await json(url, signal));
      }),
  },
  {
    name: 'closes idle connections after 150 ms',
    options: { methods: ['GET'] },
    make: (url): Server => {
      const server = createServer((_req, res) => {
        const signal = endOf(res);
        json(url, signal).then(
          (body) => res.end(JSON.stringify(body)),
          () => fail(res, signal),
        );
      });
      server.keepAliveTimeout = 150;
      return server;
    },
  },
  {
    name: 'takes PUT and DELETE',
    options: { methods: ['PUT', 'DELETE'] },
    make: (url) => honest(async (req, res, signal) => res.json(await json(url, signal, initOf(req)))),
  },
];
