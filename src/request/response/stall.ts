import { ResponseStalledError } from '../../errors';
import { cutResponse } from './end-request';
import type { Lifetime } from '../lifetime/lifetime';

/**
 * Ends a response that has begun and then makes no progress for `stallMs`: the handler does not write, or the client
 * does not read. It is Node's own idle timeout of the socket (HTTP/2: of the stream), which also sees a slow write
 * advance, and it is on only while the response is under way.
 */
export function watchStall(lifetime: Lifetime, stallMs: number): void {
  // Every way to send headers makes the head first.
  lifetime.onHead = () => {
    lifetime.onHead = undefined;
    startTimeout(lifetime, stallMs);
  };
}

function startTimeout(lifetime: Lifetime, stallMs: number): void {
  const { res, socket } = lifetime;
  res.setTimeout(stallMs, () => {
    // It may have begun within the grace, when its request was aborted already.
    if (lifetime.reason) cutResponse(lifetime);
    else lifetime.end(new ResponseStalledError(stallMs));
  });
  if (socket === undefined) return;
  // The socket's idle timeout must not outlive this response: before Node goes on to the next one, or sets the
  // keep-alive timeout, it is put back to the server's own.
  const { server } = socket as { server?: { timeout?: number } };
  res.prependOnceListener('finish', () => socket.setTimeout(server?.timeout ?? 0));
}
