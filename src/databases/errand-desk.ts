/** For whom a pool's method, which calls another one before it returns, does what it does. */
export type Errand = { readonly signals: readonly AbortSignal[] } | undefined;

/** Hands the signals of a `pool.query()` to the `pool.connect()` that it calls before it returns. */
export class ErrandDesk {
  private present: Errand = undefined;

  /** Runs `work`, in which `take()` gives these signals. */
  during<T>(signals: readonly AbortSignal[], work: () => T): T {
    const before = this.present;
    this.present = { signals };
    try {
      return work();
    } finally {
      this.present = before;
    }
  }

  /** The errand of the method that is calling; only once. */
  take(): Errand {
    const { present } = this;
    this.present = undefined;
    return present;
  }
}
