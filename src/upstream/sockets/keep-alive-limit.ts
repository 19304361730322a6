/** A socket that breaks sooner than this after its last use was not closed for being idle: the upstream has failed. */
const SHORTEST_LESSON_MS = 100;
/** The new limit, as a share of the idle time after which the upstream has dropped a socket. */
const SHARE = 0.75;
/** How long a learned limit holds. A deploy or a crash drops idle sockets too, and says nothing about the time after it. */
const MEMORY_MS = 10 * 60_000;

/** How long an unused socket is kept: the configured time, or less once the upstream has dropped a socket sooner. */
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

  /** Lowers the limit below the idle time after which a socket was lost. Returns whether the limit has changed. */
  learn(idleMs: number): boolean {
    if (idleMs < SHORTEST_LESSON_MS) return false;
    const ms = Math.floor(idleMs * SHARE);
    if (ms >= this.ms) return false;
    this.ms = ms;
    this.learnedAt = performance.now();
    return true;
  }

  /** Goes back to the configured limit ten minutes after `learn()` has lowered it. Returns whether the limit has changed. */
  forget(): boolean {
    if (this.learnedAt === undefined || performance.now() - this.learnedAt < MEMORY_MS) return false;
    this.ms = this.configuredMs;
    this.learnedAt = undefined;
    return true;
  }
}
