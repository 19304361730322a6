import type { WireAttempt } from './wire-attempt';

/** What one try has come to. */
export type AttemptResult = AnsweredAttempt | FailedAttempt;

export interface AnsweredAttempt {
  readonly wire: WireAttempt;
  readonly response: Response;
}

export interface FailedAttempt {
  readonly wire: WireAttempt;
  readonly error: unknown;
  readonly response?: undefined;
  /** It was ended here, because it took longer than `attempt`. */
  readonly tookTooLong: boolean;
}
