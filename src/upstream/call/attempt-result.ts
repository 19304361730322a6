import type { WireAttempt } from './wire-attempt';

/** The result of one try. */
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
  /** Whether the try was ended here because it took longer than `attempt`. */
  readonly tookTooLong: boolean;
}
