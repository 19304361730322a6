import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Express, Request, Response } from 'express';
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

/** Apps that make their calls in one wrong way each. */
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
];
