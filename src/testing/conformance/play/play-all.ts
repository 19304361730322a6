import type { CellPlace, ConformanceCell } from '../cell';
import type { RunPlace } from './conversation';
import { judge, type Judgement } from '../verdicts/judge';
import { withoutLimited } from '../verdicts/turned-away';
import { eachAlone, playAgain, withoutCached } from './play-again';
import { playCell, type PlayedCell } from './play-cell';
import { ServedFirst } from './play-served';
import { playTogether } from './play-together';
import { turnsOfRun, type Seat, type Turn } from './turns';

/** Makes the app run again where it has ended; tells in words why it cannot. */
type Revive = () => Promise<string | undefined>;

/** A place that was judged, and its turn. */
interface Judged extends Seat {
  turn: Turn;
  judgement: Judgement;
}

/**
 * Plays every cell, and those that are wrong again. The connections of one cell are looked at while the next ones are played;
 * again, each is alone.
 */
export async function playAll(run: RunPlace, revive: Revive | undefined): Promise<ConformanceCell[]> {
  const turns = await turnsOfRun(run);
  const of = turns.reduce((sum, turn) => sum + turn.length, 0);
  const judged: Promise<Judged>[] = [];
  let done = 0;
  for (const turn of turns) {
    for (const [i, judgement] of (await begin(turn, run, revive)).entries()) {
      const seat = turn[i] as Seat;
      judged.push(
        judgement.then((it) => {
          run.plan.onCell(it.cell, ++done, of);
          return { ...seat, turn, judgement: it };
        }),
      );
    }
  }
  const alone = async (seat: Seat): Promise<Judgement> => {
    const [judgement] = await begin([seat], run, revive);
    return judgement as Promise<Judgement>;
  };
  const first = await eachAlone(await Promise.all(judged), alone);
  const again = await playAgain(first, alone, new ServedFirst(run, alone));
  return withoutLimited(withoutCached(again));
}

/** Plays a turn; resolves when the next one may begin, which is before the verdicts are known. */
async function begin(turn: Turn, run: RunPlace, revive: Revive | undefined): Promise<Promise<Judgement>[]> {
  const hidden = whyUnseen(turn, run) ?? (await revive?.());
  if (hidden !== undefined)
    return turn.map(({ place }) =>
      Promise.resolve({ cell: unseenCell(place, hidden), isCertain: true, isMet: false }),
    );
  const seats = turn.map(({ place, probe }) => ({ place, baseline: { ...probe, closesSoon: false } }));
  const [only] = seats;
  const played: PlayedCell[] =
    seats.length === 1 && only
      ? [await playCell(only.place, run, only.baseline)]
      : await playTogether(seats, run);
  return turn.map(async ({ place, probe }, i) => {
    const [seen, closesSoon] = await Promise.all([played[i]?.observation, probe.closesSoon]);
    return judge(
      place,
      { ...(seen as NonNullable<typeof seen>), baseline: { ...probe, closesSoon } },
      run.plan,
    );
  });
}

/** All places of a turn have the same fault, and none of those that share one is hidden for its client. */
function whyUnseen([first]: Turn, { plan, upstream }: RunPlace): string | undefined {
  if (first === undefined) return undefined;
  const { place } = first;
  if (upstream === undefined && place.fault !== 'ok') {
    return 'the upstream is not ours to break; point the app at a faultyUpstream() and give it as `upstream`';
  }
  if (upstream?.protocol === 'http2' && (place.fault === 'garbage' || place.fault === 'stale'))
    return 'an upstream that speaks HTTP/2 has no such fault';
  if (plan.protocol === 'http2' && place.client === 'leaves-in-request' && place.method === 'GET') {
    return 'HTTP/2 has no half-close of a request without a body';
  }
  return undefined;
}

function unseenCell(place: CellPlace, why: string): ConformanceCell {
  const nothing = { status: undefined, complete: undefined, ended: undefined, ms: undefined };
  return { ...place, verdict: 'unseen', why, causes: [], attempts: [], ...nothing };
}
