/** A socket that the upstream closed, and for how long it had been idle, or a request had been waiting on it. */
export interface Closing {
  readonly at: number;
  readonly isIdle: boolean;
  readonly ms: number;
}

/** How many closings and restarts are kept. */
const KEPT = 16;
/** What a process that stops closes, it closes within this time. */
const AT_ONCE_MS = 200;
/** How far from a restart a fault may lie and still belong to it. */
const AROUND_MS = 1000;

/**
 * Tells a restart from timers that run out: at least three sockets closed at the same moment although they had been
 * idle (or had been waiting) for different times; or an upstream that has just answered and now refuses.
 */
export class Closings {
  private readonly closings: Closing[] = [];
  private readonly restarts: number[] = [];

  /** Notes a closing; if it makes a restart, gives the moment at which that began. */
  add(closing: Closing): number | undefined {
    this.closings.push(closing);
    if (this.closings.length > KEPT) this.closings.shift();
    const since = closing.at - AT_ONCE_MS;
    const atOnce = this.closings.filter(({ at }) => at >= since);
    if (atOnce.length < 3 || !areOfOneCause(atOnce)) return undefined;
    this.restartedAt(closing.at);
    return since;
  }

  restartedAt(at: number): void {
    this.restarts.push(at);
    if (this.restarts.length > KEPT) this.restarts.shift();
  }

  /** Whether a fault at this moment belongs to a restart, as far as is known by now. */
  isRestart(at: number): boolean {
    return this.restarts.some((restart) => Math.abs(restart - at) <= AROUND_MS);
  }
}

/** A timer closes what is equally old; only the end of the process closes young and old together. */
function areOfOneCause(closings: readonly Closing[]): boolean {
  return [true, false].some((isIdle) => {
    const ages = closings.filter((closing) => closing.isIdle === isIdle).map(({ ms }) => ms);
    const longest = Math.max(...ages);
    return ages.length > 1 && longest - Math.min(...ages) > Math.max(AT_ONCE_MS, longest / 4);
  });
}
