import { setTimeout as sleep } from 'node:timers/promises';
import undici from 'undici';
import { RetryBudget } from '../../../src/upstream/retry/retry-budget';
import { DROP_MS, forgetfulUpstream } from '../sockets/dropping-upstream';
import { answers, client, scriptedUpstream } from '../scripted-upstream';

beforeEach(() => {
  jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('the retry budget', () => {
  let now = 5000;
  beforeEach(() => {
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });

  it('gets a retry back in ten seconds, also where nothing succeeds, and no more than ten', () => {
    const budget = new RetryBudget();
    while (budget.spend());
    now += 9_999;
    expect(budget.spend()).toBe(false);
    expect(budget.tokens).toBe(0.9);
    now += 2;
    expect([budget.spend(), budget.spend()]).toEqual([true, false]);
    now += 3_600_000;
    expect(budget.tokens).toBe(10);
  });

  it('begins with ten retries', () => {
    const budget = new RetryBudget();
    expect(Array.from({ length: 12 }, () => budget.spend())).toEqual([
      ...Array<boolean>(10).fill(true),
      false,
      false,
    ]);
    expect(budget.tokens).toBe(0);
  });

  it('earns a retry with ten successes, exactly', () => {
    const budget = new RetryBudget();
    for (let retry = 0; retry < 10; retry++) budget.spend();
    for (let success = 0; success < 9; success++) budget.earn();
    expect(budget.spend()).toBe(false);
    budget.earn();
    expect(budget.spend()).toBe(true);
    expect(budget.spend()).toBe(false);
  });

  it('saves no more than ten', () => {
    const budget = new RetryBudget();
    for (let success = 0; success < 1000; success++) budget.earn();
    expect(budget.tokens).toBe(10);
  });
});

/** Sends calls, fifty at a time, and counts what they come to: statuses, or `error`. */
async function storm(count: number, call: () => Promise<Response>): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const outcome = await call().then(
        async (response) => {
          await response.text();
          return String(response.status);
        },
        () => 'error',
      );
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 50 }, worker));
  return outcomes;
}

// 1,000 calls: more than a test's ordinary time on a busy machine.
jest.setTimeout(60_000);

describe('an upstream in trouble', () => {
  it.each([503, 'reset'] as const)(
    'that is dead (%s) sees at most 1.2 times the traffic of 1,000 calls',
    async (fault) => {
      const { origin, hits } = await scriptedUpstream(answers[fault]);
      const users = client(undici, origin);
      const outcomes = await storm(1000, () => users.fetch(null, '/'));
      expect(outcomes).toEqual({ [fault === 503 ? '503' : 'error']: 1000 });
      expect(hits.length).toBeLessThanOrEqual(1200);
      // Ten, and one more for each ten seconds that a busy machine takes for all of this.
      const { requests, retries, budget } = users.stats();
      expect(hits).toHaveLength(1000 + retries);
      expect(retries).toBeGreaterThanOrEqual(10);
      expect({ requests, isSpent: budget < 1 }).toEqual({ requests: 1000, isSpent: true });
    },
  );

  it('that fails every other time sees at most 1.2 times the traffic, and the callers fewer failures', async () => {
    const { origin, hits } = await scriptedUpstream((req, res, n) => {
      if (n % 2 === 0) answers[503](req, res);
      else answers.ok(req, res);
    });
    const users = client(undici, origin);
    const outcomes = await storm(1000, () => users.fetch(null, '/'));
    expect(hits.length).toBeGreaterThan(1010);
    expect(hits.length).toBeLessThanOrEqual(1200);
    expect(outcomes[200]! + outcomes[503]!).toBe(1000);
    expect(outcomes[200]).toBeGreaterThan(500);
  });

  it('is retried as before once it is well again', async () => {
    let isDead = true;
    const { origin, hits } = await scriptedUpstream((req, res) => {
      if (isDead) answers[503](req, res);
      else answers.ok(req, res);
    });
    const users = client(undici, origin);
    await storm(100, () => users.fetch(null, '/'));
    expect(users.stats().budget).toBeLessThan(1);
    isDead = false;
    expect(await storm(100, () => users.fetch(null, '/'))).toEqual({ 200: 100 });
    expect(users.stats().budget).toBe(10);
    isDead = true;
    const before = hits.length;
    await users.fetch(null, '/');
    expect(hits.length - before).toBe(3);
  });

  it('is spared by each of its clients on its own', async () => {
    const { origin } = await scriptedUpstream(answers[503]);
    const [one, other] = [client(undici, origin), client(undici, origin)];
    await storm(20, () => one.fetch(null, '/'));
    expect(one.stats().budget).toBeLessThan(1);
    expect(other.stats().budget).toBe(10);
  });
});

describe('a kept socket that is dead', () => {
  it('costs nothing, and is healed also when the budget is spent and retries are off', async () => {
    const upstream = await forgetfulUpstream();
    const users = client(undici, upstream.origin, { retries: 0 });
    for (let n = 0; n < 3; n++) {
      await (await users.fetch(null, `/${n}/warm`)).text();
      await sleep(DROP_MS + 50);
      expect((await users.fetch(null, `/${n}/late`)).status).toBe(200);
    }
    // After the first, the client gives up its sockets sooner, and none is dead any more.
    expect(users.stats()).toMatchObject({ retries: 0, replays: 1, budget: 10 });
    expect(new Set(upstream.processed.values())).toEqual(new Set([1]));
  });

  it('is no reason to send twice what is not idempotent', async () => {
    const upstream = await forgetfulUpstream();
    const users = client(undici, upstream.origin);
    await (await users.fetch(null, '/warm')).text();
    await sleep(DROP_MS + 50);
    await expect(users.request(null, '/order', { method: 'POST' })).rejects.toThrow(/POST/);
    expect(users.stats()).toMatchObject({ retries: 0, replays: 0 });
    expect(upstream.processed).toEqual(new Map([['/warm', 1]]));
  });
});
