import type { RequestListener } from 'node:http';
import {
  conformance,
  faultyUpstream,
  type ConformanceResult,
  type FaultyUpstream,
} from 'express-hangup/testing';
import { callingApp } from './apps/calling-app';

let upstream: FaultyUpstream;
beforeEach(async () => {
  upstream = await faultyUpstream();
});
afterEach(() => upstream.close());

describe('conformance(): an app with a circuit breaker', () => {
  /** Opens after so many failures in a row, and refuses so many requests then: by a count, as time would make it chance. */
  const breaker = (failures: number, refusals: number): RequestListener => {
    let [inARow, left] = [0, 0];
    return (_req, res) => {
      if (left > 0) {
        left -= 1;
        res.writeHead(503).end();
        return;
      }
      res.on('finish', () => {
        inARow = res.statusCode === 502 ? inARow + 1 : 0;
        if (inARow < failures) return;
        [inARow, left] = [0, refusals];
      });
    };
  };
  const clients = ['leaves-in-response', 'stays'] as const;
  const faults = ['ok', 'reset', 'close', 'garbage', 'refuse', 'stale'] as const;
  const judgedWith = (failures: number, refusals: number): Promise<ConformanceResult> =>
    conformance(callingApp(upstream, breaker(failures, refusals)), {
      ...{ upstream, methods: ['GET'], faults, clients, deadline: 200 },
    });

  it('has no wrong cell where it opens after two failures, and is told that some were not seen', async () => {
    const { wrong, ok, unseen, vacuous } = await judgedWith(2, 6);
    expect([wrong, ok, unseen > 0]).toEqual([0, false, true]);
    expect(vacuous).toMatch(/without calling its upstream, as a circuit breaker does that is open/);
  });

  it('is wrong where it opens upon a single failure', async () => {
    const { wrong, cells } = await judgedWith(1, 2);
    const why = cells.filter(({ verdict }) => verdict === 'wrong').map((one) => one.why);
    expect([wrong > 0, why.join()]).toEqual([
      true,
      expect.stringContaining('the next request on the connection got 503'),
    ]);
  });

  it('is wrong where it refuses requests for no reason', async () => {
    let asked = 0;
    const result = await conformance(
      callingApp(upstream, (_req, res) => {
        if (++asked > 4 && asked % 3 === 0) res.writeHead(503).end();
      }),
      {
        upstream,
        methods: ['GET'],
        faults: ['ok', 'reset', 'close', 'garbage', 'stale'],
        clients: ['stays'],
        deadline: 200,
      },
    );
    expect(result.wrong).toBeGreaterThan(0);
  });

  it('is wrong where it stays open', async () => {
    const { cells } = await judgedWith(1, Infinity);
    const wrong = cells.filter(({ client, verdict }) => client === 'stays' && verdict === 'wrong');
    expect(wrong.map(({ fault }) => fault)).toEqual(['reset', 'close', 'garbage', 'refuse', 'stale']);
  });
});
