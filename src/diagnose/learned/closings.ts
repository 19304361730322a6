/** A socket that the upstream closed, and for how long it had been idle, or a request had been waiting on it. */
export interface Closing {
  readonly at: number;
  readonly isIdle: boolean;
  readonly ms: number;
}

/** The evidence for a restart, in numbers. */
export interface RestartEvidence {
  readonly at: number;
  /** How many sockets were closed together, idle and in use. */
  readonly idle: number;
  readonly inUse: number;
  /** It was seen to refuse connections at that moment, soon after it had answered. */
  readonly isRefusing: boolean;
}

/** How many closings and restarts are kept. */
const KEPT = 16;
/** A process that stops closes all its sockets within this time. */
const AT_ONCE_MS = 200;
/** How far from a restart a fault may lie and still belong to it. */
const AROUND_MS = 1000;
/** How many sockets must close together, so that it is not by chance. */
const ENOUGH = 3;

/**
 * Tells a restart from timers that run out: at least three sockets closed at the same moment, by the upstream, although
 * they had been idle (or had been waiting) for different times.
 */
export class Closings {
  private readonly closings: Closing[] = [];
  private readonly restarts: RestartEvidence[] = [];

  /** Notes a closing; if it makes a restart, gives the moment at which that began. */
  add(closing: Closing): number | undefined {
    this.closings.push(closing);
    if (this.closings.length > KEPT) this.closings.shift();
    const since = closing.at - AT_ONCE_MS;
    const together = this.closings.filter(({ at }) => at >= since);
    if (together.length < ENOUGH || !areOfOneCause(together)) return undefined;
    const idle = together.filter(({ isIdle }) => isIdle).length;
    this.noteRestart({ at: closing.at, idle, inUse: together.length - idle, isRefusing: false });
    return since;
  }

  /** It refuses connections, although it has just answered. */
  refuses(at: number): void {
    if (!this.restartAround(at)) this.noteRestart({ at, idle: 0, inUse: 0, isRefusing: true });
  }

  /** The restart that a fault at this moment belongs to, as far as is known by now. */
  restartAround(at: number): RestartEvidence | undefined {
    return this.restarts.findLast((restart) => Math.abs(restart.at - at) <= AROUND_MS);
  }

  private noteRestart(restart: RestartEvidence): void {
    const last = this.restarts.at(-1);
    // The fourth socket of a restart belongs to the restart that the third has shown.
    if (last && restart.at - last.at <= AT_ONCE_MS) this.restarts.pop();
    this.restarts.push(restart);
    if (this.restarts.length > KEPT) this.restarts.shift();
  }
}

/** A timer closes sockets of the same age. Only the end of the process closes young and old sockets together. */
function areOfOneCause(closings: readonly Closing[]): boolean {
  return [true, false].some((isIdle) => {
    const ages = closings.filter((closing) => closing.isIdle === isIdle).map(({ ms }) => ms);
    const longest = Math.max(...ages);
    return ages.length > 1 && longest - Math.min(...ages) > Math.max(AT_ONCE_MS, longest / 4);
  });
}
