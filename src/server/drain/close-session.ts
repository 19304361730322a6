import type { ServerHttp2Session } from 'node:http2';
import { IDLE_AFTER_MS } from '../traffic/connection';
import type { Answer } from '../traffic/traffic';

/**
 * Ends an HTTP/2 session by GOAWAY. Its client then opens a new connection for the next request, and requests that have
 * begun go on (RFC 9113, section 6.8). GOAWAY is sent at once if a request is being answered. On an idle session it is
 * sent with the next request, or after a second without one: a request that is on its way at that moment is not covered
 * by GOAWAY, and nginx answers it with 502. When GOAWAY was sent to idle sessions at once, nginx 1.31 lost 15 of 10,000
 * requests in ten restarts.
 */
export function closeSession(session: ServerHttp2Session, isAnswering: boolean): void {
  if (isAnswering) session.close();
  else {
    session.once('stream', () => session.close());
    setTimeout(() => session.close(), IDLE_AFTER_MS).unref();
  }
}

/** The session that an answer belongs to; none for HTTP/1. */
export function sessionOf(answer: Answer): ServerHttp2Session | undefined {
  if (!('req' in answer)) return answer.session as ServerHttp2Session | undefined;
  const { stream } = answer as { stream?: { session?: ServerHttp2Session } };
  return stream?.session;
}
