/** Hands what a pool's method is about to the other one of its methods that it calls before it returns. */
export class ErrandDesk<Errand> {
  private present: Errand | undefined = undefined;

  /** Runs `work`, in which `take()` gives this errand. */
  during<Result>(errand: Errand, work: () => Result): Result {
    const before = this.present;
    this.present = errand;
    try {
      return work();
    } finally {
      this.present = before;
    }
  }

  /** The errand of the method that is calling; only once. */
  take(): Errand | undefined {
    const { present } = this;
    this.present = undefined;
    return present;
  }
}
