/** What a bisection came to. */
export interface Bisected<T> {
  readonly kept: readonly T[];
  readonly takenBack: readonly T[];
  /** How often the tests ran. */
  readonly runs: number;
}

/**
 * Finds the repairs that break the tests: all at once first, then halves, each on top of what has passed. `passes` applies
 * the given repairs, and no others, and runs the tests. One culprit among n costs about 2 log n runs.
 */
export async function bisect<T>(
  repairs: readonly T[],
  passes: (applied: readonly T[]) => Promise<boolean>,
): Promise<Bisected<T>> {
  const kept: T[] = [];
  const takenBack: T[] = [];
  let runs = 0;
  const tryAll = async (group: readonly T[]): Promise<void> => {
    runs += 1;
    if (await passes([...kept, ...group])) {
      kept.push(...group);
      return;
    }
    if (group.length === 1) {
      takenBack.push(...group);
      return;
    }
    const half = Math.ceil(group.length / 2);
    await tryAll(group.slice(0, half));
    await tryAll(group.slice(half));
  };
  if (repairs.length > 0) await tryAll(repairs);
  return { kept, takenBack, runs };
}
