/** Passes a value from one method of a pool to another method that it calls before it returns. */
export class ErrandDesk<Errand> {
  private present: Errand | undefined = undefined;

  /** Runs `work`. Meanwhile `take()` gives this errand. */
  during<Result>(errand: Errand, work: () => Result): Result {
    const before = this.present;
    this.present = errand;
    try {
      return work();
    } finally {
      this.present = before;
    }
  }

  /** The errand of the calling method; given only once. */
  take(): Errand | undefined {
    const { present } = this;
    this.present = undefined;
    return present;
  }
}
