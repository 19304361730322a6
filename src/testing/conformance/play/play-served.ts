import { setTimeout as pause } from 'node:timers/promises';
import type { CellPlace } from '../cell';
import { isExpected } from '../expectations';
import type { Judgement } from '../verdicts/judge';
import { isPerhapsRefused } from '../verdicts/turned-away';
import { answering, WELL } from './breakage';
import { ask, type RunPlace } from './conversation';

/** How many requests the app must serve before a cell is played: some breakers count failures in a row. */
const FEW = 5;

/** How many at the second try, for a breaker that goes by the share of failures in some time. */
const MANY = 100;

/** How long a breaker may be open, in deadlines: the one of opossum is for 30 s, where the deadline of a run is 1 s. */
const OPEN_DEADLINES = 35;

/**
 * Plays cells of an app that refuses requests by itself, as a circuit breaker does that is open. Each is played once the app has
 * served other requests, so its verdict does not depend on what was played before: only a breaker that opens upon a single
 * failure refuses it again. Where the app serves nobody in all that time, cells are played as they are.
 */
export class ServedFirst<T extends { place: CellPlace }> {
  /** Whether the app has refused nobody whom it had no reason to refuse: else it is no breaker that refuses. */
  isSteady = true;
  #serves = true;
  readonly #run: RunPlace;
  readonly #playAlone: (one: T) => Promise<Judgement>;

  constructor(run: RunPlace, playAlone: (one: T) => Promise<Judgement>) {
    this.#run = run;
    this.#playAlone = playAlone;
  }

  async play(one: T): Promise<Judgement> {
    let judgement: Judgement | undefined;
    for (const often of [FEW, MANY]) {
      this.#serves &&= await this.#serveAgain(one.place.method, often);
      if (!this.#serves) break;
      judgement = await this.#playAlone(one);
      if (!isPerhapsRefused(judgement.cell)) break;
    }
    return judgement ?? this.#playAlone(one);
  }

  /** Asks the route while all is well until it was served so often; resolves to false where it is not served in time. */
  async #serveAgain(method: string, often: number): Promise<boolean> {
    const { plan, upstream } = this.#run;
    upstream?.use(() => answering(WELL, plan.answer));
    const end = performance.now() + plan.deadline * OPEN_DEADLINES;
    let served = 0;
    while (served < often && performance.now() < end) {
      const calls = upstream?.attempts.length;
      const account = await ask(method, this.#run).over;
      const { status = 0, complete } = account?.response ?? {};
      // Who limits its clients serves no more for being asked, and nobody answers for a process that has ended.
      if (account === undefined || status === 429) return false;
      if (complete === true && isExpected(status, plan.expected.ok)) served += 1;
      else {
        if (served > 0 && status >= 500 && status !== 504 && upstream?.attempts.length === calls)
          this.isSteady = false;
        await pause(plan.deadline / 20);
      }
    }
    return served > 0;
  }
}
