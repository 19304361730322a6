/** A socket that breaks sooner after its last use breaks because the upstream does, not because it was left idle. */
const SHORTEST_LESSON_MS = 100;
/** How much of the time after which the upstream has dropped a socket is still trusted. */
const SHARE = 0.75;
/** A deploy or a crash drops idle sockets too: what was learned from one is not believed for ever. */
const MEMORY_MS = 10 * 60_000;

/** How long an unused socket is kept: as configured, or less once the upstream has dropped one sooner. */
export class KeepAliveLimit {
  /** The limit in force, in ms. */
  ms: number;
  private learnedAt: number | undefined = undefined;

  constructor(private readonly configuredMs: number) {
    this.ms = configuredMs;
  }

  get learned(): boolean {
    return this.learnedAt !== undefined;
  }

  /** Lowers the limit below the idle time after which a socket was lost. Gives whether it has changed. */
  learn(idleMs: number): boolean {
    if (idleMs < SHORTEST_LESSON_MS) return false;
    const ms = Math.floor(idleMs * SHARE);
    if (ms >= this.ms) return false;
    this.ms = ms;
    this.learnedAt = performance.now();
    return true;
  }

  /** Goes back to the configured limit when the lesson is ten minutes old. Gives whether it has changed. */
  forget(): boolean {
    if (this.learnedAt === undefined || performance.now() - this.learnedAt < MEMORY_MS) return false;
    this.ms = this.configuredMs;
    this.learnedAt = undefined;
    return true;
  }
}
