import type { ServerResponse } from 'node:http';
import { ResponseStalledError } from '../errors';
import type { Lifetime } from './lifetime';

/**
 * Ends a response that has begun and then makes no progress for `stallMs`: the handler does not write, or the client
 * does not read. It is Node's own idle timeout of the socket (HTTP/2: of the stream), which also sees a slow write
 * advance, and it is on only while the response is under way.
 */
export function watchStall(lifetime: Lifetime, stallMs: number): void {
  const isWatched = lifetime.stallMs !== undefined;
  lifetime.stallMs = stallMs;
  if (isWatched) return;
  const { res } = lifetime;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with `res` below
  const writeHead = res.writeHead;
  // Every way to send headers ends in writeHead, which is therefore the moment at which the response starts.
  res.writeHead = function startWatching(this: ServerResponse, ...args: unknown[]) {
    res.writeHead = writeHead;
    const result = Reflect.apply(writeHead, res, args) as ServerResponse;
    startTimeout(lifetime);
    return result;
  };
}

function startTimeout(lifetime: Lifetime): void {
  const { res, socket, stallMs = 0 } = lifetime;
  res.setTimeout(stallMs, () => lifetime.end(new ResponseStalledError(stallMs)));
  if (socket === undefined) return;
  // The socket's idle timeout must not outlive this response: before Node goes on to the next one, or sets the
  // keep-alive timeout, it is put back to the server's own.
  const { server } = socket as { server?: { timeout?: number } };
  res.prependOnceListener('finish', () => socket.setTimeout(server?.timeout ?? 0));
}
