import type { ServerHttp2Stream } from 'node:http2';
import type { HangupError } from '../../errors';
import { attachLifetime } from '../../request/attach-lifetime';
import { lifetimeOf } from '../../request/lifetime/lifetime-of';
import type { Answer } from '../traffic/traffic';

/** How long a client is asked to wait, in seconds: another instance takes over at once. */
const RETRY_AFTER_S = '1';

/**
 * Aborts a request that is still running. With `hangup()` its signal aborts, and if the response has not started
 * when the grace is over, the app's error handlers answer 503. Without `hangup()` a 503 without a body is sent at
 * once, and the handler's later calls are discarded. A response that has started may end by itself, until the drain
 * forces. Gives whether it did anything.
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
 * Closes an HTTP/2 stream that has been answered while its client is still sending the request, by an RST_STREAM with
 * NO_ERROR (RFC 9113, section 8.1). On HTTP/1 the connection is closed instead.
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
