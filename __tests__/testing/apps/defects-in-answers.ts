import { createServer, get, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { bare, DEADLINE, endOf, fail, hasAnswer, honest, initOf, type DefectiveApp } from './parts';

const GET = { methods: ['GET'] } as const;
const POST = { methods: ['POST'] } as const;

const pass = async (url: string, req: Request, res: Response, signal?: AbortSignal): Promise<void> => {
  const answer = await fetch(url, initOf(req, signal));
  res.json(await answer.json());
};

/** Passes an answer on as it comes; `broken` is called where it breaks. */
function relay(url: string, req: Request, res: Response, broken: (error: Error) => void): void {
  const signal = endOf(res);
  const up = request(url, { method: req.method, signal }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, { 'content-type': 'application/json' });
    answer.on('data', (bytes) => res.write(bytes));
    answer.on('end', () => res.end());
    answer.on('error', broken);
  });
  up.on('error', () => {
    if (!res.headersSent) fail(res, signal);
  });
  up.end(req.method === 'POST' ? JSON.stringify(req.body) : undefined);
}

/** Apps whose answers are wrong in one way each. */
export const DEFECTS_IN_ANSWERS: readonly DefectiveApp[] = [
  {
    name: 'has no deadline',
    says: /no answer within/,
    options: GET,
    make: (url) =>
      bare(async (req, res) => {
        const controller = new AbortController();
        res.on('close', () => controller.abort());
        await pass(url, req, res, controller.signal).catch(() => fail(res, undefined));
      }),
  },
  {
    name: 'has a deadline of 1.4 seconds in place of 250 ms',
    says: /no answer within|the answer took 1[34]\d\d ms/,
    options: GET,
    make: (url) =>
      bare(async (req, res) => {
        const signal = endOf(res, 1400);
        await pass(url, req, res, signal).catch(() => fail(res, signal));
      }),
  },
  {
    name: 'answers at twice its deadline because it tries again',
    says: /the answer took [56]\d\d ms/,
    options: { ...GET, margin: 150 },
    make: (url) =>
      bare(async (req, res) => {
        const signal = endOf(res, DEADLINE * 2);
        await pass(url, req, res, AbortSignal.any([signal, AbortSignal.timeout(DEADLINE)]))
          .catch(() => pass(url, req, res, signal))
          .catch((error: unknown) =>
            (error as Error).message === 'too slow' ? fail(res, signal) : fail(res, undefined),
          );
      }),
  },
  {
    name: 'has a deadline of its own that is far too short',
    says: /504 instead of 2xx/,
    options: GET,
    make: (url) =>
      bare(async (req, res) => {
        const signal = endOf(res, 40);
        await pass(url, req, res, signal).catch(() => fail(res, signal));
      }),
  },
  {
    name: 'lets the default error handler answer 500',
    says: /500 instead of 502/,
    options: GET,
    make: (url) =>
      honest(async (req, res, signal) => {
        await pass(url, req, res, signal).catch((error: unknown) => {
          if (signal.aborted) throw error;
          res.status(500).end('oops');
        });
      }),
  },
  {
    name: 'calls a reset a timeout',
    says: /504 instead of 502/,
    options: POST,
    make: (url) =>
      bare((req, res) => pass(url, req, res, endOf(res)).catch(() => res.destroyed || res.sendStatus(504))),
  },
  {
    name: 'calls a timeout a bad gateway',
    says: /502 instead of 504/,
    options: GET,
    make: (url) =>
      bare((req, res) => pass(url, req, res, endOf(res)).catch(() => res.destroyed || res.sendStatus(502))),
  },
  {
    name: 'answers 200 with an error text',
    says: /200 instead of 502/,
    options: GET,
    make: (url) =>
      honest((req, res, signal) =>
        pass(url, req, res, signal).catch((error: unknown) => {
          if (signal.aborted) throw error;
          res.json({ error: true });
        }),
      ),
  },
  {
    name: 'answers 204 where its upstream is gone',
    says: /204 instead of 502/,
    options: GET,
    make: (url) =>
      honest((req, res, signal) =>
        pass(url, req, res, signal).catch((error: unknown) => {
          if (signal.aborted) throw error;
          res.sendStatus(204);
        }),
      ),
  },
  {
    name: 'redirects to an error page',
    says: /302 instead of 502/,
    options: GET,
    make: (url) =>
      honest((req, res, signal) =>
        pass(url, req, res, signal).catch((error: unknown) => {
          if (signal.aborted) throw error;
          res.redirect('/sorry');
        }),
      ),
  },
  {
    name: 'answers a call on a dead connection with an empty 200',
    says: /an empty answer looks like a success \(200\)/,
    options: POST,
    make: (url) =>
      honest((req, res, signal) =>
        pass(url, req, res, signal).catch((error: unknown) => {
          if (
            ((error as Error).cause as { code?: string } | undefined)?.code !== 'UND_ERR_SOCKET' ||
            signal.aborted
          )
            throw error as Error;
          res.status(200).end();
        }),
      ),
  },
  {
    name: 'ends a broken body as if it were whole',
    says: /a fragment looks like a whole answer \(200\)/,
    options: GET,
    make: (url) => bare((req, res) => relay(url, req, res, () => res.end())),
  },
  {
    name: 'collects what came before the break and answers with it',
    says: /a fragment looks like a whole answer \(200\)/,
    options: GET,
    make: (url) =>
      bare((req, res) => {
        const signal = endOf(res);
        const up = get(url, { signal }, (answer) => {
          let text = '';
          answer.on('data', (bytes: Buffer) => (text += bytes.toString()));
          answer.on('error', () => undefined);
          answer.on('close', () => (signal.aborted ? fail(res, signal) : res.end(text)));
        });
        up.on('error', () => !res.headersSent && !hasAnswer(up) && fail(res, signal));
        void req;
      }),
  },
  {
    name: 'neither ends nor breaks an answer that was cut',
    says: /the response was begun, and neither ended nor broken off/,
    options: GET,
    make: (url) => bare((req, res) => relay(url, req, res, () => undefined)),
  },
  {
    name: 'has a deadline for the headers only',
    says: /no answer within/,
    options: GET,
    make: (url) =>
      bare(async (_req, res) => {
        const controller = new AbortController();
        res.on('close', () => controller.abort());
        const timer = setTimeout(() => controller.abort(), DEADLINE);
        try {
          const answer = await fetch(url, { signal: controller.signal });
          clearTimeout(timer);
          res.json(await answer.json());
        } catch {
          fail(res, controller.signal);
        }
      }),
  },
  {
    name: 'waits for an end that does not come when the body is cut',
    says: /no answer within/,
    options: { ...GET, faults: ['ok', 'reset-chunk', 'close-body', 'close-chunk'] },
    make: (url) =>
      bare((_req, res) => {
        const up = get(url, (answer) => {
          let text = '';
          answer.on('data', (bytes: Buffer) => (text += bytes.toString()));
          answer.on('end', () => res.end(text));
          answer.on('error', () => undefined);
        });
        up.on('error', () => fail(res, undefined));
        res.on('close', () => up.destroy());
      }),
  },
  {
    name: 'drops the connection in place of an answer',
    says: /the connection was closed without an answer/,
    options: GET,
    make: (url) => bare((req, res) => pass(url, req, res, endOf(res)).catch(() => res.destroy())),
  },
  {
    name: 'announces more bytes than its error has',
    says: /neither ended nor broken off/,
    options: { ...GET, faults: ['ok', 'reset', 'refuse'] },
    make: (url) =>
      bare((req, res) =>
        pass(url, req, res, endOf(res)).catch(() => {
          res.writeHead(502, { 'content-length': 20 });
          res.write('short');
        }),
      ),
  },
  {
    name: 'tells the address of its upstream',
    says: /the answer tells the address of the upstream/,
    options: GET,
    make: (url) =>
      honest((req, res, signal) =>
        pass(url, req, res, signal).catch((error: unknown) => {
          if (signal.aborted) throw error;
          res
            .status(502)
            .json({ error: String(((error as Error).cause as Error | undefined)?.message ?? error) });
        }),
      ),
  },
  {
    name: 'shows its stack',
    says: /the answer shows a stack trace/,
    options: POST,
    make: (url) =>
      honest((req, res, signal) =>
        pass(url, req, res, signal).catch((error: unknown) => {
          if (signal.aborted) throw error;
          res.status(502).json({ error: (error as Error).stack });
        }),
      ),
  },
  {
    name: 'writes a second response to the socket 300 ms later',
    says: /a second response came on the connection, with status 200/,
    options: GET,
    make: (url) =>
      honest((req, res, signal) =>
        pass(url, req, res, signal).catch(() => {
          const { socket } = res;
          fail(res, signal);
          setTimeout(() => socket?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'), 300);
        }),
      ),
  },
  {
    name: 'writes on after its answer',
    says: /not HTTP/,
    options: GET,
    make: (url) =>
      honest((req, res, signal) =>
        pass(url, req, res, signal).catch(() => {
          const { socket } = res;
          fail(res, signal);
          res.on('finish', () => socket?.write('oops'));
        }),
      ),
  },
  {
    name: 'destroys the connection 50 ms after its 502',
    says: /the connection was closed \d+ ms after a whole answer|the next request on the connection got no answer/,
    options: GET,
    make: (url) =>
      honest((req, res, signal) =>
        pass(url, req, res, signal).catch(() => {
          const { socket } = res;
          fail(res, signal);
          setTimeout(() => socket?.destroy(), 50);
        }),
      ),
  },
  {
    name: 'passes bytes on that are not HTTP',
    says: /not HTTP/,
    options: { ...GET, faults: ['ok', 'garbage'] },
    make: (url) =>
      createServer((req, res) => {
        const { port } = new URL(url);
        const up = connect(Number(port), '127.0.0.1');
        up.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        up.on('error', () => undefined);
        up.on('data', (bytes) => res.socket?.write(bytes));
        up.on('close', () => res.socket?.end());
        req.socket.on('close', () => up.destroy());
      }),
  },
  {
    name: 'keeps a client waiting that half-closes',
    says: /a client that half-closed got neither an answer nor an end/,
    options: { ...GET, faults: ['ok', 'slow'] },
    make: (url) => {
      const server = createServer((req, res) => {
        const controller = new AbortController();
        req.socket.once('end', () => controller.abort());
        res.on('close', () => controller.abort());
        const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(DEADLINE)]);
        fetch(url, { signal })
          .then(async (answer) => res.end(await answer.text()))
          .catch(() => !controller.signal.aborted && fail(res, signal));
      });
      Object.assign(server, { httpAllowHalfOpen: true });
      return server;
    },
  },
  {
    name: 'opens its circuit breaker for good',
    says: /the next request on the connection got 503/,
    options: GET,
    make: (url) => {
      // It is closed again after some time, so that each cell of the run sees it.
      let openUntil = 0;
      return honest(async (req, res, signal) => {
        if (performance.now() < openUntil) {
          res.sendStatus(503);
          return;
        }
        try {
          await pass(url, req, res, signal);
        } catch (error) {
          if (!signal.aborted) openUntil = performance.now() + 20;
          throw error;
        }
      });
    },
  },
  {
    name: 'asks again and again while its upstream is gone',
    says: /no answer within/,
    options: { ...GET, faults: ['ok', 'refuse'] },
    make: (url) =>
      bare(async (req, res) => {
        while (!res.destroyed && !res.writableEnded) {
          const isDone = await pass(url, req, res).then(
            () => true,
            () => false,
          );
          if (!isDone) await sleep(20);
        }
      }),
  },
  {
    name: 'answers 500 to each third failure of its upstream',
    says: /500 instead of 502, now and then/,
    options: GET,
    make: (url) => {
      let failures = 0;
      return honest((req, res, signal) =>
        pass(url, req, res, signal).catch((error: unknown) => {
          failures += 1;
          if (signal.aborted || failures % 3 !== 0) throw error;
          res.status(500).end('oops');
        }),
      );
    },
  },
];
