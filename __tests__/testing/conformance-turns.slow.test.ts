import { createServer, type RequestListener } from 'node:http';
import { conformance, faultyUpstream, type ConformanceOptions } from 'express-hangup/testing';
import { COLUMNS, placesOf, ROWS, turnsOf } from '../../src/testing/conformance/matrix';
import { eachAlone, type Judged } from '../../src/testing/conformance/play/play-again';
import { withMethodsAtOnce, type Seat } from '../../src/testing/conformance/play/turns';
import type { ConformanceCell } from '../../src/testing/conformance/cell';

const named = ({ fault, client, call }: { fault: string; client: string; call?: number }): string =>
  `${fault} ${client}${call === undefined ? '' : `#${call}`}`;

describe('turnsOf()', () => {
  it('lets clients wait at once where the upstream only waits, and nobody else', () => {
    const turns = turnsOf(placesOf('GET', 1, ROWS, COLUMNS), 1);
    expect(turns.filter(({ length }) => length > 1).map((turn) => turn.map(named))).toEqual([
      ['slow stays', 'slow leaves-in-response'],
      ['hang stays', 'hang leaves-in-response'],
      ['hang-body stays', 'hang-body leaves-in-response'],
    ]);
    expect(turns.flat()).toHaveLength(ROWS.length * COLUMNS.length);
  });

  it('keeps slow calls apart where a request makes several', () => {
    const turns = turnsOf(placesOf('GET', 2, ['slow', 'hang'], COLUMNS), 2);
    expect(turns.filter(({ length }) => length > 1).map((turn) => turn.map(named))).toEqual([
      ['hang stays', 'hang leaves-in-response', 'hang stays#2'],
    ]);
  });
});

describe('withMethodsAtOnce()', () => {
  /** The turns of a route whose methods make these calls. */
  const turnsFor = (calls: Record<string, string[]>): string[][] => {
    const turns = Object.entries(calls).flatMap(([method, keys]) => {
      const found = { calls: keys.map((key) => ({ key })) } as unknown as Seat['probe'];
      const places = placesOf(method, keys.length, ['hang', 'reset'], ['stays', 'leaves-in-response']);
      return turnsOf(places, keys.length).map((turn) => turn.map((place) => ({ place, probe: found })));
    });
    return withMethodsAtOnce(turns).map((turn) => turn.map(({ place }) => `${place.method} ${named(place)}`));
  };

  it('lets the clients of both methods wait at once, those whose call is a POST last', () => {
    const [shared, ...others] = turnsFor({ POST: ['POST /a'], GET: ['GET /a'] });
    expect(shared).toEqual([
      ...['GET hang stays', 'GET hang leaves-in-response'],
      ...['POST hang stays', 'POST hang leaves-in-response'],
    ]);
    expect(others.every(({ length }) => length === 1)).toBe(true);
  });

  it('keeps a method that makes several calls apart from the others', () => {
    const shared = turnsFor({ GET: ['GET /a', 'GET /b'], POST: ['POST /a'] }).filter(
      ({ length }) => length > 1,
    );
    expect(shared.map((turn) => turn.map((cell) => cell.split(' ')[0]))).toEqual([
      ['GET', 'GET', 'GET'],
      ['POST', 'POST'],
    ]);
  });
});

type Verdict = ConformanceCell['verdict'];

function judged(
  turn: object,
  verdict: Verdict,
  more: { isCertain?: boolean; isMet?: boolean } = {},
): Judged & { turn: object } {
  const place = { fault: 'hang', client: 'stays', method: 'GET' } as const;
  const cell = { ...place, verdict, why: verdict, causes: [], attempts: [] } as unknown as ConformanceCell;
  return { place: { ...place }, turn, judgement: { cell, isCertain: false, isMet: true, ...more } };
}

describe('eachAlone()', () => {
  async function verdicts(
    cells: readonly (Judged & { turn: object })[],
    alone: readonly Verdict[],
  ): Promise<{ kept: string[]; played: number }> {
    let played = 0;
    const kept = await eachAlone(cells, () => {
      const verdict = alone[played++] ?? 'right';
      return Promise.resolve(judged({}, verdict).judgement);
    });
    return { kept: kept.map(({ judgement }) => judgement.cell.verdict), played };
  }

  it('lets stand what is right, and what was played alone', async () => {
    const turn = {};
    const cells = [judged(turn, 'right'), judged(turn, 'right'), judged({}, 'wrong')];
    expect(await verdicts(cells, [])).toEqual({ kept: ['right', 'right', 'wrong'], played: 0 });
  });

  it.each(['wrong', 'unseen'] as const)('plays all of a turn alone where one is %s', async (verdict) => {
    const turn = {};
    const cells = [judged(turn, 'right'), judged(turn, verdict)];
    expect(await verdicts(cells, ['wrong', 'right'])).toEqual({ kept: ['wrong', 'right'], played: 2 });
  });

  it('plays all of a turn alone where one has not met its fault', async () => {
    const turn = {};
    const cells = [judged(turn, 'right'), judged(turn, 'right', { isMet: false })];
    expect(await verdicts(cells, ['right', 'right'])).toEqual({ kept: ['right', 'right'], played: 2 });
  });

  it('keeps what no machine does where no cell shows it alone', async () => {
    const turn = {};
    const cells = [judged(turn, 'right'), judged(turn, 'wrong', { isCertain: true })];
    expect(await verdicts(cells, ['right', 'right'])).toEqual({ kept: ['right', 'wrong'], played: 2 });
    expect(await verdicts(cells, ['wrong', 'right'])).toEqual({ kept: ['wrong', 'right'], played: 2 });
  });
});

describe('conformance(): cells that wait at once', () => {
  /** Answers 504 after 250 ms, 502 where the call fails; `at504` does what is wrong. */
  const app =
    (url: string, at504: (live: number) => number): RequestListener =>
    (_req, res) => {
      live += 1;
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), 250);
      res.on('close', () => {
        live -= 1;
        clearTimeout(timer);
        controller.abort();
      });
      fetch(url, { signal: controller.signal })
        .then(async (answer) => res.end(await answer.text()))
        .catch(() => {
          if (!res.destroyed) res.writeHead(controller.signal.aborted ? at504(live) : 502).end('x');
        });
    };
  let live = 0;
  const waiting: ConformanceOptions = {
    ...{ methods: ['GET'], faults: ['hang', 'hang-body'], clients: ['stays', 'leaves-in-response'] },
    deadline: 250,
  };

  async function run(
    at504: (live: number) => number,
    options: ConformanceOptions = {},
  ): Promise<{ verdicts: string[]; overlaps: number }> {
    live = 0;
    const upstream = await faultyUpstream();
    const result = await conformance(createServer(app(upstream.url, at504)), {
      ...{ ...waiting, upstream },
      ...options,
    });
    const hung = upstream.attempts.filter(({ fault }) => fault === 'hang');
    const overlaps = hung.filter((one) =>
      hung.some((other) => other.at > one.at && other.at < (one.closed?.at ?? Infinity)),
    ).length;
    await upstream.close();
    return { verdicts: result.cells.map(({ verdict }) => verdict), overlaps };
  }

  it('are played at once, and are right', async () => {
    expect(await run(() => 504)).toEqual({ verdicts: ['right', 'right', 'right', 'right'], overlaps: 1 });
  });

  it('are played at once with those of the other method', async () => {
    expect(await run(() => 504, { methods: ['GET', 'POST'], faults: ['hang'] })).toEqual({
      verdicts: ['right', 'right', 'right', 'right'],
      overlaps: 3,
    });
  });

  it.each([
    ['GET', 'POST'],
    ['POST', 'GET'],
  ] as const)('show a POST that is sent again when it hangs, with the methods %s, %s', async (...methods) => {
    const upstream = await faultyUpstream();
    const twice: RequestListener = (req, res) => {
      req.resume();
      const { method = 'GET' } = req;
      const once = (ms: number): Promise<globalThis.Response> =>
        fetch(upstream.url, { method, signal: AbortSignal.timeout(ms) });
      const isTwice = method === 'POST';
      once(isTwice ? 120 : 250)
        .catch((error: unknown) => {
          if (!isTwice || (error as Error).name !== 'TimeoutError') throw error;
          return once(120);
        })
        .then(async (answer) => res.end(await answer.text()))
        .catch((error: unknown) =>
          res.writeHead((error as Error).name === 'TimeoutError' ? 504 : 502).end('x'),
        );
    };
    const result = await conformance(twice, { ...waiting, upstream, methods, faults: ['hang'] });
    await upstream.close();
    const wrong = result.cells.filter(({ verdict }) => verdict === 'wrong');
    expect(wrong.map(({ method, causes }) => `${method} ${causes.join()}`)).toEqual(
      expect.arrayContaining(['POST sent-twice']),
    );
    expect(wrong.filter(({ method }) => method === 'GET')).toEqual([]);
  });

  it('are wrong where they are wrong alone', async () => {
    expect((await run(() => 500)).verdicts).toEqual(['wrong', 'wrong', 'wrong', 'wrong']);
  });

  it('are not accused of what they do only when there are two of them', async () => {
    expect((await run((now) => (now > 1 ? 500 : 504))).verdicts).toEqual([
      ...['right', 'right', 'right', 'right'],
    ]);
  });
});
