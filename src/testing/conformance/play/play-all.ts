import type { Baseline, CellPlace, ConformanceCell } from '../cell';
import type { RunPlace } from './conversation';
import { judge, type Judgement } from '../verdicts/judge';
import { placesOf } from '../matrix';
import { playAgain, withoutCached } from './play-again';
import { probe, type Probe } from './probe';
import { playCell } from './play-cell';

/** Makes the app run again where it has ended; tells in words why it cannot. */
type Revive = () => Promise<string | undefined>;

/** A place with what its route does when all is well. */
export interface Planned {
  place: CellPlace;
  probe: Probe;
}

interface Judged extends Planned {
  judgement: Judgement;
}

/**
 * Plays every cell, and those that are wrong again. The connections of one cell are looked at while the next ones are played;
 * again, each is alone.
 */
export async function playAll(run: RunPlace, revive: Revive | undefined): Promise<ConformanceCell[]> {
  const { plan } = run;
  const planned: Planned[] = [];
  for (const method of plan.methods) {
    const found = await probe(method, run);
    // What goes over TCP is not known, so one call is not told from another.
    const calls = run.upstream?.speaks === 'tcp' ? 1 : found.calls.length;
    const places = placesOf(method, calls, plan.faults, plan.clients);
    planned.push(...places.map((place) => ({ place, probe: found })));
  }
  const judged: Promise<Judged>[] = [];
  let done = 0;
  for (const { place, probe: found } of planned) {
    const { judgement } = await begin(place, found, run, revive);
    judged.push(
      judgement.then((it) => {
        plan.onCell(it.cell, ++done, planned.length);
        return { place, probe: found, judgement: it };
      }),
    );
  }
  const alone = async ({ place, probe: found }: Planned): Promise<Judgement> =>
    (await begin(place, found, run, revive)).judgement;
  return withoutCached(await playAgain(await Promise.all(judged), alone));
}

/** Plays a cell; resolves when the next one may begin, which is before the verdict is known. */
async function begin(
  place: CellPlace,
  { closesSoon, ...known }: Probe,
  run: RunPlace,
  revive: Revive | undefined,
): Promise<{ judgement: Promise<Judgement> }> {
  const hidden = whyUnseen(place, run) ?? (await revive?.());
  if (hidden !== undefined)
    return { judgement: Promise.resolve({ cell: unseenCell(place, hidden), isCertain: true }) };
  const baseline: Baseline = { ...known, closesSoon: false };
  const { observation } = await playCell(place, run, baseline);
  const judgement = Promise.all([observation, closesSoon]).then(([seen, soon]) =>
    judge(place, { ...seen, baseline: { ...baseline, closesSoon: soon } }, run.plan),
  );
  return { judgement };
}

function whyUnseen({ fault, client, method }: CellPlace, { plan, upstream }: RunPlace): string | undefined {
  if (upstream === undefined && fault !== 'ok') {
    return 'the upstream is not ours to break; point the app at a faultyUpstream() and give it as `upstream`';
  }
  if (plan.protocol === 'http2' && client === 'leaves-in-request' && method === 'GET') {
    return 'HTTP/2 has no half-close of a request without a body';
  }
  return undefined;
}

function unseenCell(place: CellPlace, why: string): ConformanceCell {
  const nothing = { status: undefined, complete: undefined, ended: undefined, ms: undefined };
  return { ...place, verdict: 'unseen', why, causes: [], attempts: [], ...nothing };
}
