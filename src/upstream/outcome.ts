import type { Exchange } from './exchange';

/** What one try has come to. */
export type Outcome = Answer | Failure;

export interface Answer {
  readonly exchange: Exchange;
  readonly response: Response;
}

export interface Failure {
  readonly exchange: Exchange;
  readonly error: unknown;
  readonly response?: undefined;
  /** It was ended here, because it took longer than `attempt`. */
  readonly tookTooLong: boolean;
}
