import { createServer, get, type Server } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import express, { type Request, type Response } from 'express';
import express4 from 'express4';
import { bare, DEADLINE, endOf, fail, honest, initOf, plain, type DefectiveApp } from './parts';

const GET = { methods: ['GET'] } as const;
const POST = { methods: ['POST'] } as const;

const pass = async (url: string, req: Request, res: Response, signal?: AbortSignal): Promise<void> => {
  const answer = await fetch(url, initOf(req, signal));
  res.json(await answer.json());
};

/** Apps that end their process, or stop to serve, in one way each. */
export const DEFECTS_THAT_CRASH: readonly DefectiveApp[] = [
  {
    name: 'answers its 504 and then what came later as well',
    says: /the process would have crashed: .*ERR_HTTP_HEADERS_SENT/,
    options: GET,
    make: (url) =>
      bare((req, res) => {
        const timer = setTimeout(() => res.status(504).end('late'), DEADLINE * 0.2);
        void pass(url, req, res, endOf(res, DEADLINE * 2))
          .catch((error: unknown) => {
            if ((error as { code?: string }).code === 'ERR_HTTP_HEADERS_SENT') throw error;
            if (!res.headersSent) fail(res, undefined);
          })
          .finally(() => clearTimeout(timer));
      }),
  },
  {
    name: 'rejects without anybody listening',
    says: /the process would have crashed: unhandled rejection TypeError/,
    options: GET,
    make: (url) =>
      plain((_req, res) => {
        void fetch(url, { signal: endOf(res) }).then(async (answer) => res.end(await answer.text()));
      }),
  },
  {
    name: 'has an async handler on Express 4',
    says: /the process would have crashed: unhandled rejection/,
    options: POST,
    make: (url) => {
      const app = express4().use(express4.json());
      app.use(async (req: Request, res: Response) => pass(url, req, res, endOf(res)));
      return app;
    },
  },
  {
    name: 'does not listen for the errors of its request',
    says: /the process would have crashed: uncaught exception Error ECONNRESET|uncaught exception Error ECONNREFUSED/,
    options: GET,
    make: (url) =>
      plain((_req, res) => {
        const signal = endOf(res);
        const up = get(url, (answer) => {
          text(answer).then(
            (body) => res.end(body),
            () => res.end(),
          );
        });
        signal.addEventListener('abort', () => up.destroy());
      }),
  },
  {
    name: 'throws when its client has left',
    says: /the process would have crashed: uncaught exception Error \(nobody there\)/,
    options: GET,
    make: (url) =>
      honest(async (req, res, signal) => {
        res.on('close', () => {
          if (!res.writableEnded) throw new Error('nobody there');
        });
        await pass(url, req, res, signal);
      }),
  },
  {
    name: 'answers twice where both of two calls fail',
    says: /the process would have crashed: .*ERR_HTTP_HEADERS_SENT/,
    options: { ...GET, faults: ['ok', 'reset', 'refuse'] },
    make: (url) =>
      bare(async (_req, res) => {
        const signal = endOf(res);
        const call = async (path: string): Promise<unknown> => {
          try {
            return await (await fetch(url + path, { signal })).json();
          } catch {
            // A response that was sent is destroyed as well.
            const isLeft = res.destroyed && !res.writableEnded;
            if (!isLeft) res.status(502).json({ failed: path });
            return undefined;
          }
        };
        void Promise.all([call('/a'), call('/b')]).then(
          ([a, b]) => a !== undefined && b !== undefined && res.json({ a, b }),
        );
      }),
  },
  {
    name: 'stops listening after a fault',
    says: /nobody accepts connections any more/,
    options: { ...GET, faults: ['ok', 'reset'] },
    make: (url): Server => {
      const server = createServer((_req, res) => {
        const up = get(url, (answer) => answer.pipe(res));
        up.on('error', () => {
          server.close();
          fail(res, undefined);
        });
        res.on('close', () => up.destroy());
      });
      return server;
    },
  },
  {
    name: 'ends its process by an error in a stream',
    says: /the process would have crashed: uncaught exception/,
    options: GET,
    make: (url) => {
      const app = express();
      app.use(async (_req, res) => {
        const signal = endOf(res);
        try {
          const answer = await fetch(url, { signal });
          Readable.fromWeb(answer.body as never).pipe(res);
        } catch {
          fail(res, signal);
        }
      });
      return app;
    },
  },
];
