import { createServer, type RequestListener } from 'node:http';
import { conformance, faultyUpstream, type ConformanceOptions } from 'express-hangup/testing';
import { COLUMNS, placesOf, ROWS, turnsOf } from '../../src/testing/conformance/matrix';
import { eachAlone, type Judged } from '../../src/testing/conformance/play/play-again';
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

  async function run(at504: (live: number) => number): Promise<{ verdicts: string[]; overlaps: number }> {
    live = 0;
    const upstream = await faultyUpstream();
    const result = await conformance(createServer(app(upstream.url, at504)), { ...waiting, upstream });
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

  it('are wrong where they are wrong alone', async () => {
    expect((await run(() => 500)).verdicts).toEqual(['wrong', 'wrong', 'wrong', 'wrong']);
  });

  it('are not accused of what they do only when there are two of them', async () => {
    expect((await run((now) => (now > 1 ? 500 : 504))).verdicts).toEqual([
      ...['right', 'right', 'right', 'right'],
    ]);
  });
});
