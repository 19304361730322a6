import type { RequestListener, ServerResponse } from 'node:http';
import {
  conformance,
  faultyUpstream,
  type ConformanceResult,
  type FaultyUpstream,
} from 'express-hangup/testing';
import type { ConformanceCell } from '../../src/testing/conformance/cell';
import {
  hasRefused,
  isPerhapsRefused,
  withoutLimited,
} from '../../src/testing/conformance/verdicts/turned-away';
import { callingApp } from './apps/calling-app';

let upstream: FaultyUpstream;
beforeEach(async () => {
  upstream = await faultyUpstream();
});
afterEach(() => upstream.close());

function judged(first: RequestListener): Promise<ConformanceResult> {
  const faults = ['ok', 'reset', 'close', 'refuse', 'garbage'] as const;
  return conformance(callingApp(upstream, first), {
    ...{ upstream, methods: ['GET'], faults, clients: ['stays'], deadline: 300 },
  });
}

const verdictsOf = ({ cells }: ConformanceResult): string[] =>
  cells.map(({ fault, verdict }) => `${fault} ${verdict}`);

describe('conformance(): an app that turns clients away', () => {
  it('does not accuse an app that limits how often it may be asked, nor lets it pass', async () => {
    let asked = 0;
    const result = await judged((_req, res) => {
      if (++asked > 8) res.writeHead(429, { 'Retry-After': '60' }).end();
    });
    const { ok, wrong, right, vacuous } = result;
    expect([ok, wrong, right > 0]).toEqual([false, 0, true]);
    expect(vacuous).toMatch(
      /^[1-4] of 5 cells were not seen: the app limits .* switch the limit off for the run/,
    );
  });

  it('accuses an app that calls its upstream and answers 429 where that fails', async () => {
    const result = await conformance(
      (_req, res: ServerResponse) => {
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

describe('what a cell tells of an app that turned its client away', () => {
  const cell = (
    fault: ConformanceCell['fault'],
    status: number,
    calls: number,
    cause = `status-${status}`,
  ): ConformanceCell => ({
    ...{ fault, client: 'stays', method: 'GET', complete: true, ended: 'open', ms: 1, status },
    verdict: status === 502 ? 'right' : 'wrong',
    why: `${cause}: got ${status}`,
    causes: status === 502 ? [] : [cause],
    attempts: Array.from({ length: calls }, () => 'cut-by-upstream' as const),
  });
  const next: ConformanceCell = {
    ...cell('reset', 502, 1),
    verdict: 'wrong',
    causes: ['next-request'],
    why: 'the next request on the connection got 503',
  };

  it.each<[string, ConformanceCell, boolean, boolean]>([
    ['an error without a call', cell('close', 503, 0), true, true],
    ['an error where connections are refused', cell('refuse', 503, 0), false, true],
    ['an error to the next request alone', next, false, true],
    ['an error after a call', cell('reset', 503, 1), false, false],
    ['an error before the call that is to fail', { ...cell('reset', 503, 1), call: 2 }, true, true],
    ['an error that tells a stack as well', cell('reset', 503, 0, 'tells-stack'), false, false],
    ['a deadline that passes before a call', cell('slow', 504, 0), false, false],
    ['a 404 without a call', cell('reset', 404, 0), false, false],
  ])('knows a refusal by %s', (_what, one, refused, perhaps) => {
    expect([hasRefused(one), isPerhapsRefused(one)]).toEqual([refused, perhaps]);
  });

  it('does not see the cells of an app that limits its clients, but for those that are wrong besides', () => {
    const verdicts = (cells: ConformanceCell[]): string[] =>
      withoutLimited(cells).map(({ verdict }) => verdict);
    expect(verdicts([cell('reset', 429, 0), cell('refuse', 429, 0)])).toEqual(['unseen', 'unseen']);
    expect(verdicts([cell('reset', 429, 0, 'tells-stack'), cell('close', 429, 1)])).toEqual([
      'wrong',
      'wrong',
    ]);
    const often = {
      causes: ['one-after-another'],
      why: 'of 8 requests one after another 3 were not served (429)',
    };
    expect(verdicts([cell('reset', 429, 0), { ...cell('ok', 200, 0), ...often }])).toEqual([
      'unseen',
      'unseen',
    ]);
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
