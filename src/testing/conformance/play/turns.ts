import type { CellPlace } from '../cell';
import { placesOf, turnsOf } from '../matrix';
import type { RunPlace } from './conversation';
import { probe, type Probe } from './probe';

/** A place of the matrix, with what its route does when all is well. */
export interface Seat {
  place: CellPlace;
  probe: Probe;
}

/** The places that are played at once. */
export type Turn = readonly Seat[];

/** Asks the route once with each method while all is well, and sorts all places of the run into turns. */
export async function turnsOfRun(run: RunPlace): Promise<Turn[]> {
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
    turns.push(...sorted.map((turn) => turn.map((place) => ({ place, probe: found }))));
  }
  return withMethodsAtOnce(turns);
}

/**
 * The turns in which several clients wait for the same fault take place with all methods at once. The methods must make one
 * call each: the later calls of one method's requests would come amid those of the other.
 */
export function withMethodsAtOnce(turns: readonly Turn[]): Turn[] {
  const merged: Seat[][] = [];
  const waiting = new Map<string, Seat[]>();
  for (const turn of turns) {
    const [first] = turn;
    const isShared = turn.length > 1 && turn.every(({ probe: { calls } }) => calls.length === 1);
    const earlier = isShared && first ? waiting.get(first.place.fault) : undefined;
    if (earlier) earlier.push(...turn);
    else {
      const begun = [...turn];
      merged.push(begun);
      if (isShared && first) waiting.set(first.place.fault, begun);
    }
  }
  return merged.map(postsLast);
}

/**
 * A call that comes late counts as one of the last cell. A POST that is sent twice is seen there only among the calls of a
 * method that sends POSTs itself.
 */
function postsLast(turn: Seat[]): Turn {
  const sendsPost = ({ probe: { calls } }: Seat): number =>
    Number(calls.some(({ key }) => /^(POST|PATCH) /.test(key)));
  return turn.toSorted((a, b) => sendsPost(a) - sendsPost(b));
}
