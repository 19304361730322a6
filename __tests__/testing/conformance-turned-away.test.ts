import type { RequestListener } from 'node:http';
import {
  conformance,
  faultyUpstream,
  type ConformanceResult,
  type FaultyUpstream,
} from 'express-hangup/testing';

let upstream: FaultyUpstream;
beforeEach(async () => {
  upstream = await faultyUpstream();
});
afterEach(() => upstream.close());

/** An app that answers 502 where its upstream fails; `first` may answer in its place. */
const app =
  (first: RequestListener): RequestListener =>
  (req, res) => {
    first(req, res);
    if (res.headersSent) return;
    fetch(upstream.url).then(
      async (answer) => res.end(await answer.text()),
      () => res.writeHead(502).end('broken'),
    );
  };

function judged(first: RequestListener): Promise<ConformanceResult> {
  const faults = ['ok', 'reset', 'close', 'refuse', 'garbage'] as const;
  return conformance(app(first), {
    ...{ upstream, methods: ['GET'], faults, clients: ['stays'], deadline: 300 },
  });
}

const verdictsOf = ({ cells }: ConformanceResult): string[] =>
  cells.map(({ fault, verdict }) => `${fault} ${verdict}`);

describe('conformance(): an app that turns clients away', () => {
  it('does not accuse an app that limits how often it may be asked, nor lets it pass', async () => {
    let asked = 0;
    const result = await judged((_req, res) => {
      if (++asked > 6) res.writeHead(429, { 'Retry-After': '60' }).end();
    });
    const { ok, wrong, right, vacuous } = result;
    expect({ ok, wrong, right }).toEqual({ ok: false, wrong: 0, right: 1 });
    expect(vacuous).toMatch(
      /^4 of 5 cells were not seen: the app limits .* switch the limit off for the run/,
    );
  });

  it('does not accuse a circuit breaker that closes again', async () => {
    let [failed, turnedAway] = [0, 0];
    const result = await judged((_req, res) => {
      if (failed >= 2 && ++turnedAway <= 3) res.writeHead(503).end();
      else if (turnedAway > 3) [failed, turnedAway] = [0, 0];
      const writeHead = res.writeHead.bind(res) as (status: number) => typeof res;
      res.writeHead = ((status: number) => {
        if (status === 502) failed += 1;
        return writeHead(status);
      }) as typeof res.writeHead;
    });
    expect(result.wrong).toBe(0);
    expect(result.vacuous).toMatch(/circuit breaker/);
  });

  it('accuses a circuit breaker that stays open', async () => {
    let isOpen = false;
    const result = await judged((_req, res) => {
      if (isOpen) res.writeHead(503).end();
      const writeHead = res.writeHead.bind(res) as (status: number) => typeof res;
      res.writeHead = ((status: number) => {
        isOpen ||= status === 502;
        return writeHead(status);
      }) as typeof res.writeHead;
    });
    expect(verdictsOf(result).filter((cell) => cell.endsWith('wrong'))).toEqual([
      ...['reset wrong', 'close wrong', 'refuse wrong', 'garbage wrong'],
    ]);
  });

  it('accuses an app that calls its upstream and answers 429 where that fails', async () => {
    const result = await conformance(
      (_req, res: import('node:http').ServerResponse) => {
        fetch(upstream.url).then(
          async (answer) => res.end(await answer.text()),
          () => res.writeHead(429).end(),
        );
      },
      { upstream, methods: ['GET'], faults: ['reset'], clients: ['stays'], deadline: 300 },
    );
    expect(verdictsOf(result)).toEqual(['reset wrong']);
  });
});

describe('conformance(): an app that cannot be judged as it is', () => {
  it.each<[string, RequestListener, RegExp]>([
    [
      'redirects to HTTPS',
      (_req, res) => res.writeHead(301, { Location: 'https://localhost/' }).end(),
      /redirects to https:\/\/localhost\/.*X-Forwarded-Proto/,
    ],
    [
      'redirects to its login',
      (_req, res) => res.writeHead(302, { Location: '/login' }).end(),
      /\/login.*Cookie/,
    ],
    ['asks who it is', (_req, res) => res.writeHead(401).end(), /headers: \{ Authorization/],
    ['has been asked too often', (_req, res) => res.writeHead(429).end(), /switch the limit off/],
    [
      'streams without an end',
      (_req, res) => res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n'),
      /200 text\/event-stream.*stream without an end/,
    ],
  ])('is told what to change where it %s', async (_what, first, says) => {
    await expect(judged(first)).rejects.toThrow(says);
  });
});
