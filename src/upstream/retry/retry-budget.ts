/** All three are in tenths of a token, because ten additions of 0.1 do not make exactly 1. */
const FULL = 100;
const PRICE = 10;
const REWARD = 1;
/** After this time one token comes back by itself. */
const TOKEN_MS = 10_000;

/**
 * How many retries an upstream may still get. The budget starts with 10 tokens; a retry costs 1, a success gives back 0.1,
 * and ten seconds give back 1. So an upstream that is down sees its usual traffic, 10 calls more, and 6 more in each
 * minute. An upstream that fails in part sees about 1.1 times its traffic. Without the refill by time, an outage in which
 * nothing succeeds would switch retries off until long after its end.
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

  /** Gives back a tenth of a token for a call that has succeeded. */
  earn(): void {
    this.tenths = Math.min(FULL, this.tenths + REWARD);
  }

  private refill(): void {
    const now = performance.now();
    this.tenths = Math.min(FULL, this.tenths + ((now - this.at) / TOKEN_MS) * PRICE);
    this.at = now;
  }
}
