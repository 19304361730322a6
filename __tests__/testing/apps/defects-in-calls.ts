import { Agent, get, request, type Server } from 'node:http';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import express, { type Express, type Request, type Response } from 'express';
import express4 from 'express4';
import { Agent as UndiciAgent, fetch as undiciFetch } from 'undici';
import { bare, DEADLINE, endOf, fail, hasAnswer, honest, initOf, plain, type DefectiveApp } from './parts';

const GET = { methods: ['GET'] } as const;
const POST = { methods: ['POST'] } as const;

const pass = async (url: string, req: Request, res: Response, signal?: AbortSignal): Promise<void> => {
  const answer = await fetch(url, initOf(req, signal));
  res.json(await answer.json());
};

/** Two calls, one after the other; `second` makes the second one and answers. */
function twoCalls(
  url: string,
  second: (body: unknown, res: Response, signal: AbortSignal) => Promise<unknown>,
): Express {
  return honest(async (_req, res, signal) => {
    const first = await fetch(`${url}/user`, { signal });
    await second(await first.json(), res, signal);
  });
}

/** Apps that make their calls, or end their process, in one wrong way each. */
export const DEFECTS_IN_CALLS: readonly DefectiveApp[] = [
  {
    name: 'does not stop its call when the client leaves',
    says: /the upstream had to answer for a client that was gone|the call to the upstream was ended by the deadline only/,
    options: GET,
    make: (url) =>
      bare(async (req, res) => {
        const signal = AbortSignal.timeout(DEADLINE);
        await pass(url, req, res, signal).catch(() => fail(res, signal));
      }),
  },
  {
    name: 'answers its 504 by a race and lets the call go on',
    says: /the call to the upstream was never ended/,
    options: GET,
    make: (url) =>
      bare(async (req, res) => {
        const signal = endOf(res);
        const late = new Promise<never>((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('late')));
        });
        late.catch(() => undefined);
        const call = fetch(url, initOf(req)).then((answer) => answer.json());
        call.catch(() => undefined);
        await Promise.race([call, late]).then(
          (body) => res.json(body),
          () => fail(res, signal),
        );
      }),
  },
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
            if (!res.destroyed) res.status(502).json({ failed: path });
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
    name: 'sends a POST again after a reset',
    says: /the POST \/ was sent to the upstream 2 times/,
    options: POST,
    make: (url) =>
      honest((req, res, signal) =>
        pass(url, req, res, signal).catch((error: unknown) => {
          if (signal.aborted) throw error;
          return pass(url, req, res, signal);
        }),
      ),
  },
  {
    name: 'sends a POST again that met a dead connection',
    says: /the POST \/ was sent to the upstream 2 times/,
    options: POST,
    make: (url) => {
      const agent = new Agent({ keepAlive: true });
      const send = (req: Request, res: Response, signal: AbortSignal): void => {
        const up = request(url, { method: 'POST', agent, signal }, (answer) => {
          text(answer).then(
            (body) => res.end(body),
            () => fail(res, signal),
          );
        });
        up.on('error', () =>
          up.reusedSocket && !signal.aborted && !hasAnswer(up) ? send(req, res, signal) : fail(res, signal),
        );
        up.end(JSON.stringify(req.body));
      };
      return bare((req, res) => send(req, res, endOf(res)));
    },
  },
  {
    name: 'sends a PUT again without its body',
    says: /the upstream was given 0 of \d+ bytes of the PUT \/ as if they were all/,
    options: { methods: ['PUT'] },
    make: (url) =>
      honest(async (req, res, signal) => {
        const answer = await fetch(url, initOf(req, signal)).catch((error: unknown) => {
          if (signal.aborted) throw error;
          return fetch(url, { method: 'PUT', signal });
        });
        res.json(await answer.json());
      }),
  },
  {
    name: 'passes half of an upload on as the whole',
    says: /the upstream was given half of the body as if it were the whole/,
    options: POST,
    make: (url) =>
      plain((req, res) => {
        const signal = endOf(res);
        const up = request(url, { method: 'POST' }, (answer) => {
          text(answer).then(
            (body) => res.end(body),
            () => fail(res, signal),
          );
        });
        up.on('error', () => !hasAnswer(up) && fail(res, signal));
        req.on('data', (bytes) => up.write(bytes));
        req.on('close', () => up.end());
        signal.addEventListener('abort', () => req.complete && up.destroy());
        setTimeout(() => up.destroy(), DEADLINE * 1.5).unref();
      }),
  },
  {
    name: 'shares one AbortController between all requests',
    says: /when one of two clients left, the other one was not served/,
    options: GET,
    make: (url) => {
      let shared = new AbortController();
      return bare(async (req, res) => {
        if (shared.signal.aborted) shared = new AbortController();
        const own = shared;
        const timer = setTimeout(() => own.abort(), DEADLINE);
        res.on('close', () => {
          clearTimeout(timer);
          if (!res.writableFinished) own.abort();
        });
        await pass(url, req, res, own.signal).catch(() => fail(res, own.signal));
      });
    },
  },
  {
    name: 'keeps the body of a request in a variable of the module',
    says: /the upstream got one client's request twice|got the answer to a request of somebody else/,
    options: POST,
    make: (url) => {
      let body: unknown;
      return honest(async (req, res, signal) => {
        body = req.body;
        await new Promise((resolve) => setTimeout(resolve, 15));
        const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body), signal });
        res.json(await answer.json());
      });
    },
  },
  {
    name: 'keeps the answer for a client in a variable of the module',
    says: /a client got the answer to a request of somebody else/,
    options: POST,
    make: (url) => {
      let last: unknown;
      return honest(async (req, res, signal) => {
        last = await (await fetch(url, initOf(req, signal))).json();
        await new Promise((resolve) => setTimeout(resolve, 15));
        res.json(last);
      });
    },
  },
  {
    name: 'answers with what it has got for the request before',
    says: /a client got the answer to a request of somebody else/,
    options: POST,
    make: (url) => {
      let before: unknown;
      return honest(async (req, res, signal) => {
        const now: unknown = await (await fetch(url, initOf(req, signal))).json();
        res.json(before ?? now);
        before = now;
      });
    },
  },
  {
    name: 'makes a keep-alive agent for each request',
    says: /8 requests, one after another, left 8 more connections open at the upstream/,
    options: GET,
    make: (url) =>
      plain((_req, res) => {
        const signal = endOf(res);
        const up = get(url, { agent: new Agent({ keepAlive: true }), signal }, (answer) => {
          text(answer).then(
            (body) => res.end(body),
            () => fail(res, signal),
          );
        });
        up.on('error', () => !hasAnswer(up) && fail(res, signal));
      }),
  },
  {
    name: 'makes an undici agent for each request',
    says: /left 8 more connections open at the upstream/,
    options: POST,
    make: (url) => {
      const kept: UndiciAgent[] = [];
      return honest(async (req, res, signal) => {
        const dispatcher = new UndiciAgent();
        kept.push(dispatcher);
        const answer = await undiciFetch(url, {
          method: 'POST',
          body: JSON.stringify(req.body),
          signal,
          dispatcher,
        });
        res.json(await answer.json());
      });
    },
  },
  {
    name: 'destroys the agent of all when one call fails',
    says: /when one of two clients' calls was reset, the other client was not served/,
    options: GET,
    make: (url) => {
      let agent = new Agent({ keepAlive: true });
      const all = new Set<ReturnType<typeof get>>();
      return plain((_req, res) => {
        const signal = endOf(res);
        const up = get(url, { agent, signal }, (answer) => {
          text(answer).then(
            (body) => res.end(body),
            () => fail(res, signal),
          );
        });
        all.add(up);
        up.on('close', () => all.delete(up));
        up.on('error', () => {
          agent.destroy();
          agent = new Agent({ keepAlive: true });
          if (!hasAnswer(up)) fail(res, signal);
        });
      });
    },
  },
  {
    name: 'makes its second call without a signal',
    says: /the call to the upstream was never ended|the upstream had to answer for a client that was gone/,
    options: POST,
    make: (url) =>
      twoCalls(url, async (user, res) => {
        const answer = await fetch(`${url}/orders`, { method: 'POST', body: JSON.stringify(user) });
        res.json(await answer.json());
      }),
  },
  {
    name: 'has no deadline for its second call',
    says: /no answer within/,
    options: GET,
    make: (url) =>
      bare(async (_req, res) => {
        const gone = new AbortController();
        res.on('close', () => gone.abort());
        try {
          await (await fetch(`${url}/user`, { signal: endOf(res) })).json();
          res.json(await (await fetch(`${url}/orders`, { signal: gone.signal })).json());
        } catch {
          fail(res, gone.signal.aborted ? undefined : AbortSignal.abort());
        }
      }),
  },
  {
    name: 'answers 500 where its second call is reset',
    says: /500 instead of 502/,
    options: GET,
    make: (url) =>
      twoCalls(url, async (_user, res, signal) => {
        const answer = await fetch(`${url}/orders`, { signal }).catch((error: unknown) => {
          if (signal.aborted) throw error;
          return undefined;
        });
        if (answer === undefined) res.status(500).end('x');
        else res.json(await answer.json());
      }),
  },
  {
    name: 'answers without what its third call should have brought',
    says: /200 instead of 502/,
    options: GET,
    make: (url) =>
      honest(async (_req, res, signal) => {
        const call = async (path: string): Promise<unknown> => (await fetch(url + path, { signal })).json();
        const [user, cart] = [await call('/user'), await call('/cart')];
        const offers = await call('/offers').catch((error: unknown) => {
          if (signal.aborted) throw error;
          return [];
        });
        res.json({ user, cart, offers });
      }),
  },
  {
    name: 'loses a place in its queue with every failure',
    says: /the next request on the connection got no answer|no answer within/,
    options: GET,
    make: (url) => {
      let free = 4;
      return honest(async (req, res, signal) => {
        while (free === 0) {
          if (res.destroyed) return;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        free -= 1;
        await pass(url, req, res, signal);
        free += 1;
      });
    },
  },
  {
    name: 'sends the POST of two calls twice',
    says: /the POST \/orders was sent to the upstream 2 times/,
    options: POST,
    make: (url) =>
      twoCalls(url, async (user, res, signal) => {
        const send = (): Promise<globalThis.Response> =>
          fetch(`${url}/orders`, { method: 'POST', body: JSON.stringify(user), signal });
        const answer = await send().catch((error: unknown) => {
          if (signal.aborted) throw error;
          return send();
        });
        res.json(await answer.json());
      }),
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
