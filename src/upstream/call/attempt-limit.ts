import { AttemptTimeoutError } from './call-error';

/** Ends a try that takes longer than `attempt`. */
export class AttemptLimit {
  isPassed = false;
  private readonly timer: NodeJS.Timeout;

  constructor(ms: number, cancel: (reason: unknown) => void) {
    this.timer = setTimeout(() => {
      this.isPassed = true;
      cancel(new AttemptTimeoutError(ms));
    }, ms).unref();
  }

  clear(): void {
    clearTimeout(this.timer);
  }
}
