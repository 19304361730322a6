import { ResponseStalledError } from '../../errors';
import { cutResponse } from './end-request';
import type { Lifetime } from '../lifetime/lifetime';

/**
 * Cuts a response that has started and then makes no progress for `stallMs`: the handler does not write, or the
 * client does not read. It uses Node's own idle timeout of the socket (HTTP/2: of the stream), which also counts
 * the progress of a slow write. It is on only while the response is under way.
 */
export function watchStall(lifetime: Lifetime, stallMs: number): void {
  // Every way to send headers makes the head first.
  const begin = (): void => {
    lifetime.onHead = undefined;
    startTimeout(lifetime, stallMs);
  };
  lifetime.onHead = begin;
}

function startTimeout(lifetime: Lifetime, stallMs: number): void {
  const { res, socket } = lifetime;
  res.setTimeout(stallMs, () => {
    // The response may have started within the grace, after its request was aborted.
    if (lifetime.reason) cutResponse(lifetime);
    else lifetime.end(new ResponseStalledError(stallMs));
  });
  if (socket === undefined) return;
  // The socket's idle timeout must not outlive this response. It is set back to the server's own before Node begins the
  // next response or sets the keep-alive timeout.
  const { server } = socket as { server?: { timeout?: number } };
  res.prependOnceListener('finish', () => socket.setTimeout(server?.timeout ?? 0));
}
