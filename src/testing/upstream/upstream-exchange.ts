import type { Attempt } from './upstream-log';

/** What a fault can do to one request, unless noted with HTTP/1.1 and with HTTP/2. */
export interface UpstreamExchange {
  readonly attempt: Attempt;
  /** Sends status and headers. The length is announced as given, true or not. */
  head(status: number, headers: Record<string, string>, length: number | 'chunked'): void;
  /** Sends a piece of the body, as a chunk where the body is chunked. */
  write(bytes: string): void;
  /** Ends the answer properly. */
  end(): void;
  /** Cuts the connection (HTTP/2: `rst` cuts the stream) once everything that was written before has left. */
  cut(how: 'fin' | 'rst'): void;
  /** Sends bytes as they are. HTTP/1.1 only. */
  raw(bytes: string): void;
  /**
   * Closes the connection when the next request's bytes arrive on it, unless `until` has settled before. HTTP/1.1 only.
   */
  cutUponNextRequest(how: 'fin' | 'rst', until: Promise<unknown> | undefined): void;
  /** Says that this request was not processed and that the connection takes no other one. HTTP/2 only. */
  goAway(): void;
  /** Goes on after some time or upon an event, unless the connection is closed before. */
  later(when: number | Promise<unknown>, go: () => void): void;
}
