/** Smaller bodies leave in one piece, so a reset while they are sent does not show a limit. */
const LARGE_BODY = 64 * 1024;
const ENOUGH_CUT = 2;
const ENOUGH_ANSWERED = 3;

/** The evidence for a limit on the size of bodies, in numbers. */
export interface BodyEvidence {
  readonly cuts: number;
  readonly smallestCut: number;
  readonly answered: number;
  readonly largestAnswered: number;
}

/** The sizes of bodies that an upstream has answered, and of those during which it has closed the connection. */
export class BodyCuts {
  private cuts = 0;
  private smallestCut = Infinity;
  private answeredCount = 0;
  private largestAnswered = 0;

  /** Whether a request was large enough to be noted at all. */
  isLarge(bytes: number | undefined): boolean {
    return bytes !== undefined && bytes >= LARGE_BODY;
  }

  cut(bytes: number): void {
    this.cuts++;
    if (bytes < this.smallestCut) this.smallestCut = bytes;
  }

  answered(bytes: number): void {
    this.answeredCount++;
    if (bytes > this.largestAnswered) this.largestAnswered = bytes;
  }

  /** The evidence for a limit: large bodies were cut more than once, and all that was answered was smaller. */
  get evidence(): BodyEvidence | undefined {
    const { cuts, smallestCut, answeredCount: answered, largestAnswered } = this;
    if (cuts < ENOUGH_CUT || answered < ENOUGH_ANSWERED || largestAnswered >= smallestCut) return undefined;
    return { cuts, smallestCut, answered, largestAnswered };
  }
}
