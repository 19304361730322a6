import type { ServerHttp2Session } from 'node:http2';
import { IDLE_AFTER_MS } from '../traffic/connection';
import type { Answer } from '../traffic/traffic';

/**
 * Ends an HTTP/2 session: GOAWAY, by which its client takes a new connection for what comes next, while what has begun goes
 * on (RFC 9113, section 6.8). At once where something is being answered; otherwise with the next request, or after a second
 * without one. A request that is just on its way when a silent session is told to go away is not among those that GOAWAY
 * names, and nginx answers it 502: with 1.31 15 of 10,000 were lost in ten restarts.
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
