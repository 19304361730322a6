import type { ServerHttp2Stream } from 'node:http2';
import type { HangupError } from '../../errors';
import { attachLifetime } from '../../request/attach-lifetime';
import { lifetimeOf } from '../../request/lifetime/lifetime-of';
import type { Answer } from '../traffic/traffic';

/** How long a client is asked to wait, in seconds: another instance takes over at once. */
const RETRY_AFTER_S = '1';

/**
 * Ends the time of a request that still runs. With `hangup()` its signal aborts, and if no answer has begun when the grace
 * is over, the app's error handlers give the 503. Without, the answer is a bare 503 at once; what the handler says
 * later is discarded. An answer that has begun is left to end by itself, or to be forced. Tells whether it did anything.
 */
export function abortAnswer(answer: Answer, reason: HangupError): boolean {
  const lifetime = 'req' in answer ? lifetimeOf(answer.req) : undefined;
  if (lifetime) {
    lifetime.runInAsyncScope(() => lifetime.end(reason));
    return lifetime.reason === reason;
  }
  if (answer.headersSent || answer.destroyed) return false;
  if ('req' in answer) attachLifetime(answer.req, answer).end(reason, 0);
  else answer.respond({ ':status': reason.status, 'retry-after': RETRY_AFTER_S }, { endStream: true });
  return true;
}

/**
 * Closes an HTTP/2 stream that has been answered and whose client has not ended its request: RFC 9113, section 8.1, has an
 * RST_STREAM with NO_ERROR for it. On HTTP/1 the connection is closed instead.
 */
export function closeAnswered(answer: Answer): void {
  const stream = 'req' in answer ? (answer as { stream?: ServerHttp2Stream }).stream : answer;
  if (stream?.writableFinished) stream.close();
  else stream?.once('finish', () => stream.close());
}

/** Aborts the signal of a request, and leaves its answer alone. */
export function abortSignal(answer: Answer, reason: HangupError): void {
  const lifetime = 'req' in answer ? lifetimeOf(answer.req) : undefined;
  lifetime?.runInAsyncScope(() => lifetime.abort(reason));
}
