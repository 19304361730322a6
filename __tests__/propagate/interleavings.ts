import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import type { Response } from 'express';
import { hangup } from 'express-hangup';
import fc from 'fast-check';
import * as undici from 'undici';
import { holdingUpstream, type HeldUpstream } from '../fixtures/held-upstream';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, gate, serve } from '../fixtures/serve';
import { chainOf, httpCall, type Call } from './clients';

const [[, express]] = expressVersions;

/** What happens next: a request makes a call, the service answers one, the leaver leaves, or the loop turns. */
export type Step =
  | { does: 'call'; who: 'leaver' | 'innocent'; client: number }
  | { does: 'answer'; which: number }
  | { does: 'leave' }
  | { does: 'turn' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('call' as const),
      who: fc.constantFrom('leaver' as const, 'innocent' as const),
      client: fc.nat({ max: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('answer' as const), which: fc.nat({ max: 7 }) }) },
  { weight: 1, arbitrary: fc.constant({ does: 'leave' as const }) },
  { weight: 3, arbitrary: fc.constant({ does: 'turn' as const }) },
);

/** The scripts of one run: each of a leaver and an innocent request, all of them at the same time and over the same clients. */
export const scripts = (pairs: number): fc.Arbitrary<Step[][]> =>
  fc.array(fc.array(step, { minLength: 2, maxLength: 12 }), { minLength: pairs, maxLength: pairs });

/** Runs a request's code in that request's context. */
type Run = <T>(work: () => T) => T;

export interface World {
  /** Plays the scripts; gives what went wrong, in words. */
  play(all: Step[][]): Promise<string[]>;
  close(): Promise<void>;
}

/** An app, its clients (two with few places), and the service that they call. */
export async function world(): Promise<World> {
  const upstream = await holdingUpstream();
  const agents = [new http.Agent({ keepAlive: true }), new http.Agent({ keepAlive: true, maxSockets: 20 })];
  const pools = [new undici.Pool(upstream.url), new undici.Pool(upstream.url, { connections: 20 })];
  const calls: Call[] = [
    async (url) => (await fetch(url)).text(),
    ...agents.map(
      (agent): Call =>
        (url) =>
          httpCall(url, 'GET', agent),
    ),
    ...pools.map(
      (dispatcher): Call =>
        async (url) =>
          (await undici.request(url, { dispatcher })).body.text(),
    ),
  ];
  const arrivals = new Map<string, (request: { run: Run; res: Response }) => void>();
  const app = express();
  app.use(hangup({ propagate: true, deadline: false }));
  app.get('/:id', (req, res) => arrivals.get(req.params.id)?.({ run: AsyncLocalStorage.snapshot(), res }));
  const { port } = await serve(app);
  let last = 0;
  const begin = async (): Promise<{ client: RawClient; run: Run; res: Response }> => {
    const arrived = gate<{ run: Run; res: Response }>();
    const id = String(++last);
    arrivals.set(id, arrived.open);
    const client = (await RawClient.connect(port)).request(`/${id}`);
    const request = await arrived.promise;
    arrivals.delete(id);
    return { client, ...request };
  };
  return {
    async play(all) {
      const wrong = await Promise.all(
        all.map((steps) => new Pair(upstream, calls, ++last).play(steps, begin)),
      );
      return wrong.flat();
    },
    async close() {
      for (const agent of agents) agent.destroy();
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
}

interface Made {
  who: 'leaver' | 'innocent';
  path: string;
  outcome: Promise<unknown>;
  isAnswered: boolean;
}

/** One script: the calls of two requests. */
class Pair {
  private readonly made: Made[] = [];
  private hasLeft = false;

  constructor(
    private readonly upstream: HeldUpstream,
    private readonly calls: Call[],
    private readonly id: number,
  ) {}

  async play(
    steps: Step[],
    begin: () => Promise<{ client: RawClient; run: Run; res: Response }>,
  ): Promise<string[]> {
    const requests = { leaver: await begin(), innocent: await begin() };
    const leave = (): void => {
      this.hasLeft = true;
      requests.leaver.client.leave('rst');
    };
    for (const step of [...steps, { does: 'leave' as const }]) {
      if (step.does === 'call') this.call(step, requests[step.who].run);
      else if (step.does === 'answer') this.answer(step.which);
      else if (step.does === 'leave') leave();
      else await new Promise(setImmediate);
    }
    const wrong = await this.judge();
    requests.innocent.res.end('done');
    await requests.innocent.client.response();
    requests.innocent.client.leave('fin');
    return wrong;
  }

  private call({ who, client }: { who: Made['who']; client: number }, run: Run): void {
    const path = `/${this.id}-${this.made.length}`;
    const call = run(() => this.calls[client]!(this.upstream.url + path));
    const outcome = call.catch((error: unknown) => chainOf(error));
    this.made.push({ who, path, outcome, isAnswered: false });
  }

  private answer(which: number): void {
    const made = this.made[which];
    if (made === undefined) return;
    made.isAnswered = true;
    void this.upstream.arrived(made.path).then(() => this.upstream.answer(made.path));
  }

  /** Each of the leaver's calls ends without an answer, and each of the innocent's gets its own. */
  private async judge(): Promise<string[]> {
    const wrong: string[] = [];
    for (const [which, { who }] of this.made.entries()) if (who === 'innocent') this.answer(which);
    for (const { who, outcome, isAnswered } of this.made) {
      if (who !== 'leaver') continue;
      const seen = await outcome;
      const isEnded =
        Array.isArray(seen) && (seen.includes('CLIENT_CLOSED_REQUEST') || seen[0] === 'TypeError');
      if (!isEnded && !(isAnswered && seen === 'whole')) wrong.push(`a guilty call: ${String(seen)}`);
    }
    for (const { who, outcome } of this.made) {
      if (who !== 'innocent') continue;
      const seen = await outcome;
      if (seen !== 'whole') wrong.push(`an innocent call: ${String(seen)}`);
    }
    return wrong;
  }
}
