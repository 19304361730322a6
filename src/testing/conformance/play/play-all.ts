import type { Baseline, CellPlace, ConformanceCell } from '../cell';
import type { RunPlace } from './conversation';
import { judge, type Judgement } from '../verdicts/judge';
import { placesOf, turnsOf } from '../matrix';
import { eachAlone, playAgain, withoutCached } from './play-again';
import { probe, type Probe } from './probe';
import { playCell, type PlayedCell } from './play-cell';
import { playTogether } from './play-together';

/** Makes the app run again where it has ended; tells in words why it cannot. */
type Revive = () => Promise<string | undefined>;

/** Places that are played at once, with what their route does when all is well. */
interface Turn {
  places: readonly CellPlace[];
  probe: Probe;
}

/** A place that was judged, and its turn. */
interface Judged {
  place: CellPlace;
  turn: Turn;
  judgement: Judgement;
}

/**
 * Plays every cell, and those that are wrong again. The connections of one cell are looked at while the next ones are played;
 * again, each is alone.
 */
export async function playAll(run: RunPlace, revive: Revive | undefined): Promise<ConformanceCell[]> {
  const turns = await turnsOfRun(run);
  const of = turns.reduce((sum, { places }) => sum + places.length, 0);
  const judged: Promise<Judged>[] = [];
  let done = 0;
  for (const turn of turns) {
    for (const [i, judgement] of (await begin(turn, run, revive)).entries()) {
      const place = turn.places[i] as CellPlace;
      judged.push(
        judgement.then((it) => {
          run.plan.onCell(it.cell, ++done, of);
          return { place, turn, judgement: it };
        }),
      );
    }
  }
  const alone = async ({ place, turn }: Pick<Judged, 'place' | 'turn'>): Promise<Judgement> => {
    const [judgement] = await begin({ ...turn, places: [place] }, run, revive);
    return judgement as Promise<Judgement>;
  };
  const first = await eachAlone(await Promise.all(judged), alone);
  return withoutCached(await playAgain(first, alone));
}

async function turnsOfRun(run: RunPlace): Promise<Turn[]> {
  const { plan, upstream } = run;
  const turns: Turn[] = [];
  for (const method of plan.methods) {
    const found = await probe(method, run);
    // What goes over TCP is not known, so one call is not told from another.
    const isKnown = upstream?.speaks !== 'tcp';
    const calls = isKnown ? found.calls.length : 1;
    const places = placesOf(method, calls, plan.faults, plan.clients);
    const canShare = isKnown && !plan.background;
    const sorted = canShare ? turnsOf(places, calls) : places.map((place) => [place]);
    turns.push(...sorted.map((turn) => ({ places: turn, probe: found })));
  }
  return turns;
}

/** Plays a turn; resolves when the next one may begin, which is before the verdicts are known. */
async function begin(
  { places, probe: { closesSoon, ...known } }: Turn,
  run: RunPlace,
  revive: Revive | undefined,
): Promise<Promise<Judgement>[]> {
  const hidden = whyUnseen(places, run) ?? (await revive?.());
  if (hidden !== undefined)
    return places.map((place) =>
      Promise.resolve({ cell: unseenCell(place, hidden), isCertain: true, isMet: false }),
    );
  const baseline: Baseline = { ...known, closesSoon: false };
  const [only] = places;
  const played: PlayedCell[] =
    places.length === 1 && only
      ? [await playCell(only, run, baseline)]
      : await playTogether(places, run, baseline);
  return places.map(async (place, i) => {
    const [seen, soon] = await Promise.all([played[i]?.observation, closesSoon]);
    return judge(
      place,
      { ...(seen as NonNullable<typeof seen>), baseline: { ...baseline, closesSoon: soon } },
      run.plan,
    );
  });
}

/** All places of a turn are of one method and fault, and none of those that share one is hidden for its client. */
function whyUnseen([place]: readonly CellPlace[], { plan, upstream }: RunPlace): string | undefined {
  if (place === undefined) return undefined;
  if (upstream === undefined && place.fault !== 'ok') {
    return 'the upstream is not ours to break; point the app at a faultyUpstream() and give it as `upstream`';
  }
  if (plan.protocol === 'http2' && place.client === 'leaves-in-request' && place.method === 'GET') {
    return 'HTTP/2 has no half-close of a request without a body';
  }
  return undefined;
}

function unseenCell(place: CellPlace, why: string): ConformanceCell {
  const nothing = { status: undefined, complete: undefined, ended: undefined, ms: undefined };
  return { ...place, verdict: 'unseen', why, causes: [], attempts: [], ...nothing };
}
