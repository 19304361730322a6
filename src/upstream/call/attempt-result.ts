import type { WireAttempt } from './wire-attempt';

/** What one try has come to. */
export type AttemptResult<Response> = AnsweredAttempt<Response> | FailedAttempt;

/** A try that was answered, with whatever status. */
export interface AnsweredAttempt<Response> {
  readonly wire: WireAttempt;
  readonly failed: false;
  readonly response: Response;
  readonly status: number;
}

/** A try without an answer. */
export interface FailedAttempt {
  readonly wire: WireAttempt;
  readonly failed: true;
  readonly error: unknown;
  /** It was ended here, because it took longer than `attempt`. */
  readonly tookTooLong: boolean;
}
