import type { CellPlace, ConformanceCell } from '../cell';
import type { Judgement } from '../verdicts/judge';
import { hasRefused, isPerhapsRefused, refusedCell } from '../verdicts/turned-away';
import type { ServedFirst } from './play-served';

/** A cell that has been judged once. */
export interface Judged {
  place: CellPlace;
  judgement: Judgement;
}

/**
 * Decides which verdicts of a shared turn are kept. If all cells of the turn are right and have met their fault, all are kept.
 * Otherwise each cell is played alone, and the verdict of that counts. A mistake that a busy machine cannot cause is kept even
 * if no cell shows it alone.
 */
export async function eachAlone<T extends Judged & { turn: object }>(
  judged: readonly T[],
  playAlone: (one: T) => Promise<Judgement>,
): Promise<T[]> {
  const done: T[] = [];
  const ofTurn = (turn: object): T[] => judged.filter((one) => one.turn === turn);
  for (const turn of new Set(judged.map((one) => one.turn))) {
    const together = ofTurn(turn);
    const stands = ({ judgement: { cell, isMet } }: T): boolean => cell.verdict === 'right' && isMet;
    if (together.length === 1 || together.every(stands)) {
      done.push(...together);
      continue;
    }
    const alone: T[] = [];
    for (const one of together) alone.push({ ...one, judgement: await playAlone(one) });
    const certain = together.find(({ judgement }) => judgement.isCertain);
    const isShown =
      certain === undefined || alone.some(({ judgement }) => judgement.cell.verdict === 'wrong');
    done.push(...alone.map((one) => (!isShown && one.place === certain.place ? certain : one)));
  }
  return done;
}

/**
 * Plays each wrong cell again, alone. A busy machine makes everything late, so a cell is called wrong only if it is wrong a
 * second time, and flaky if it is not. A complaint that was confirmed in one cell is not played again in the others: it is the
 * same mistake. Where the app has refused a request by itself, each cell is played by `served`; a cell that may have been wrong
 * for that alone, and is right then, is unseen.
 */
export async function playAgain<T extends Judged>(
  judged: readonly T[],
  playAlone: (one: T) => Promise<Judgement>,
  served: ServedFirst<T>,
): Promise<ConformanceCell[]> {
  const refuses = judged.some(({ judgement }) => hasRefused(judgement.cell));
  const play = refuses ? (one: T): Promise<Judgement> => served.play(one) : playAlone;
  const confirmed = new Set<string>();
  const refused = new Set<ConformanceCell>();
  const cells: ConformanceCell[] = [];
  for (const one of judged) {
    const { cell, isCertain } = one.judgement;
    if (cell.verdict !== 'wrong' || isCertain || confirmed.has(causeKey(cell))) {
      cells.push(cell);
      continue;
    }
    const isRefused = refuses && isPerhapsRefused(cell);
    let again = await play(one);
    // It may have met its fault for the first time: what is wrong with it then must be seen twice as well.
    if (isRefused && isDoubtful(again)) again = await play(one);
    if (again.cell.verdict === 'wrong') {
      confirmed.add(causeKey(again.cell));
      if (!isRefused) confirmed.add(causeKey(cell));
      cells.push(again.cell);
      continue;
    }
    const flaky = flakyCell(cell);
    if (isRefused) refused.add(flaky);
    cells.push(flaky);
  }
  return withIntermittent(
    cells.map((cell) => (served.isSteady && refused.has(cell) ? refusedCell(cell) : cell)),
  );
}

/** Whether a cell is wrong, but for its app's own refusal, in a way that may be the machine's. */
function isDoubtful({ cell, isCertain }: Judgement): boolean {
  return cell.verdict === 'wrong' && !isCertain && !isPerhapsRefused(cell);
}

function flakyCell(cell: ConformanceCell): ConformanceCell {
  return { ...cell, verdict: 'flaky', why: `${cell.why}; but right when it was played again alone` };
}

/** In how many cells the same mistake must come and go before it is no longer taken for the machine's. */
const OFTEN = 3;

/** The causes that a busy machine can produce in a right app: they all depend on time. */
const TIMELY =
  /^(no-answer|late-answer|status-504|deadline-only|worked-on|never-ended|neighbour|next-request|half-close|gone)$/;

/** A mistake that does not depend on time, and that comes and goes in several cells, is one that the app makes now and then. */
function withIntermittent(cells: readonly ConformanceCell[]): ConformanceCell[] {
  // A process that ends closes the connections of other cells that are still being looked at.
  const hasCrashed = cells.some(({ causes }) => causes.includes('crash'));
  const isMistake = ({ verdict, causes }: ConformanceCell): boolean =>
    verdict === 'flaky' &&
    causes.some((cause) => !TIMELY.test(cause) && !(hasCrashed && cause === 'closed-later'));
  const often = (name: string): boolean =>
    cells.filter((cell) => isMistake(cell) && cell.causes[0] === name).length >= OFTEN;
  return cells.map((cell) =>
    isMistake(cell) && often(cell.causes[0] ?? '')
      ? { ...cell, verdict: 'wrong', why: cell.why.replace(/; but right when .*$/, ', now and then') }
      : cell,
  );
}

// A status that is wrong for one fault may be a matter of time for another one.
function causeKey({ fault, causes }: ConformanceCell): string {
  const [cause = ''] = causes;
  return cause.startsWith('status-') ? `${cause} ${fault}` : causes.join(' ');
}

/**
 * An app that answers from a cache also answers while connections to its upstream are refused. The run cannot see whether it
 * has tried to connect. If it has not called its upstream in any other cell either, this cell is not seen.
 */
export function withoutCached(cells: readonly ConformanceCell[]): ConformanceCell[] {
  return cells.map((cell) => {
    const { fault, method, status = 0 } = cell;
    if (cell.verdict !== 'wrong' || fault !== 'refuse' || status < 200 || status > 299) return cell;
    const others = cells.filter(
      (other) => other.method === method && other.fault !== 'refuse' && other.fault !== 'ok',
    );
    const isCached = others.length > 0 && others.every(({ verdict }) => verdict === 'unseen');
    const why =
      'the route answered, and calls its upstream in no other cell; for a cache put {n} into the route';
    return isCached ? { ...cell, verdict: 'unseen', why, causes: [] } : cell;
  });
}
