/** In tenths of a token: ten additions of 0.1 are not 1. */
const FULL = 100;
const PRICE = 10;
const REWARD = 1;
/** In this time a token comes back by itself. */
const TOKEN_MS = 10_000;

/**
 * How many retries an upstream can still be burdened with: 10 tokens, a retry costs 1, a success gives 0.1, and ten
 * seconds give 1. An upstream that is down thus sees its ordinary traffic, 10 calls more and 6 in each minute; one that
 * fails in part about 1.1 times its traffic. Without the refill by time, an outage in which nothing succeeds would switch
 * retries off until long after it.
 */
export class RetryBudget {
  private tenths = FULL;
  private at = performance.now();

  get tokens(): number {
    this.refill();
    return Math.floor(this.tenths) / PRICE;
  }

  /** Takes a token, if there is one. */
  spend(): boolean {
    this.refill();
    if (this.tenths < PRICE) return false;
    this.tenths -= PRICE;
    return true;
  }

  /** Gives a tenth back for a call that has gone well. */
  earn(): void {
    this.tenths = Math.min(FULL, this.tenths + REWARD);
  }

  private refill(): void {
    const now = performance.now();
    this.tenths = Math.min(FULL, this.tenths + ((now - this.at) / TOKEN_MS) * PRICE);
    this.at = now;
  }
}
