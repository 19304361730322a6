/** In tenths of a token: ten additions of 0.1 are not 1. */
const FULL = 100;
const PRICE = 10;
const REWARD = 1;

/**
 * How many retries an upstream can still be burdened with: 10 tokens, a retry costs 1, a success gives 0.1. An upstream
 * that is down thus sees its ordinary traffic and 10 more, one that fails in part about 1.1 times its traffic.
 */
export class RetryBudget {
  private tenths = FULL;

  get tokens(): number {
    return this.tenths / PRICE;
  }

  /** Takes a token, if there is one. */
  spend(): boolean {
    if (this.tenths < PRICE) return false;
    this.tenths -= PRICE;
    return true;
  }

  /** Gives a tenth back for a call that has gone well. */
  earn(): void {
    this.tenths = Math.min(FULL, this.tenths + REWARD);
  }
}
