import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Request, Response } from 'express';
import { Agent as UndiciAgent, fetch as undiciFetch } from 'undici';
import { bare, DEADLINE, endOf, fail, hasAnswer, honest, initOf, plain, type DefectiveApp } from './parts';

const GET = { methods: ['GET'] } as const;
const POST = { methods: ['POST'] } as const;

const pass = async (url: string, req: Request, res: Response, signal?: AbortSignal): Promise<void> => {
  const answer = await fetch(url, initOf(req, signal));
  res.json(await answer.json());
};

/** Apps in which one request is hurt by another one, in one way each. */
export const DEFECTS_BETWEEN_REQUESTS: readonly DefectiveApp[] = [
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
];
