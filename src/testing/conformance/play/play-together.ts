import type { Baseline, CellPlace } from '../cell';
import { mendUpstream } from './breakage';
import { until, type RunPlace } from './conversation';
import { beginCell, observationOf, untilOver, type BegunCell, type PlayedCell } from './play-cell';

/** How long a call may take to come to the upstream before the next cell begins, in ms. */
const ARRIVAL_MS = 150;

/** How much later the other calls of the same request may come, in ms. */
const OTHERS_MS = 20;

/** A place to play, and what its route does when all is well. */
interface SeatTaken {
  place: CellPlace;
  baseline: Baseline;
}

/**
 * Plays cells of one fault at once: each begins when the calls of the one before have come, so that what comes
 * is known to be of which. No client sends its second request before all the first ones are answered. What would have ended
 * the process is told of each of them: which one has caused it is not known.
 */
export async function playTogether(seats: readonly SeatTaken[], run: RunPlace): Promise<PlayedCell[]> {
  const cells: BegunCell[] = [];
  let allBegun: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (allBegun = resolve));
  let mended: Promise<void> | undefined;
  const onNext = async (): Promise<void> => {
    await begun;
    await Promise.all(cells.map(({ firstAnswered }) => firstAnswered));
    mended ??= endOf(cells, run);
    await mended;
  };
  for (const { place, baseline } of seats) {
    cells.at(-1)?.since.stop();
    const cell = await beginCell(place, run, baseline, onNext);
    cells.push(cell);
    const { mine } = cell.since;
    const calls = baseline.calls.length;
    await until(() => mine().length >= (place.call ?? 1), performance.now() + ARRIVAL_MS);
    if (calls > 1) await until(() => mine().length >= calls, performance.now() + OTHERS_MS);
  }
  allBegun();
  await Promise.all(cells.map((cell) => untilOver(cell, run.plan)));
  const attempts = cells.map(({ since }) => since.mine());
  const crashes = await run.takeCrashes();
  await endOf(cells, run);
  return seats.map(({ baseline }, i) => ({
    observation: observationOf(cells[i] as BegunCell, attempts[i] ?? [], crashes, run, baseline),
  }));
}

/** What comes from now on is none of theirs, and the upstream is well. */
async function endOf(cells: readonly BegunCell[], run: RunPlace): Promise<void> {
  for (const { since, moments } of cells) {
    since.stop();
    moments.end.resolve();
  }
  const [first] = cells;
  if (first) await mendUpstream(first.place, run);
}
