import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HangupCode } from '../../errors';
import { isAlreadyGone, whoClosed } from '../../request/lifetime/who-closed';
import { isObject, read, type ErrorFacts } from './error-chain';

/** What a write to a response that is gone comes to; anywhere else it is a bug of the app. */
const WRITTEN_TO_NOBODY: ReadonlySet<unknown> = new Set([
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_UNABLE_TO_PIPE',
  'ERR_HTTP2_INVALID_STREAM',
]);

/** Whether an error tells by itself that it is this request's own connection that broke, not one to an upstream. */
export function isOfClient(chain: readonly ErrorFacts[], req?: IncomingMessage): boolean {
  const errored = req && read(req, 'errored');
  return chain.some(({ error, code, type, message, isAxiosError }) => {
    // raw-body, and with it body-parser
    if (type === 'request.aborted') return true;
    // Express's sendFile and download, formidable; undici and axios have the same words for something else
    if (message === 'Request aborted' && !isAxiosError && (code === 'ECONNABORTED' || code === 1002))
      return true;
    // What Node makes of a request whose connection broke. The identity alone does not do: pipeline(req, upstream)
    // destroys the request with the upstream's error. Nor the message: an upstream's response breaks with the same.
    return error === errored && code === 'ECONNRESET' && message === 'aborted';
  });
}

/** Whether an error can come from writing to, or reading from, a connection that has gone. */
export function isWriteToNobody(chain: readonly ErrorFacts[]): boolean {
  return chain.some(({ code }) => WRITTEN_TO_NOBODY.has(code));
}

/** Whether the response, or its connection, was destroyed with one of these very errors, as `pipeline(upstream, res)` does. */
export function hasDestroyedResponse(chain: readonly ErrorFacts[], req: IncomingMessage): boolean {
  const destroyed = ['res', 'socket'].map((key) => read(req, key)).filter(isObject);
  const errors = new Set(destroyed.map((it) => read(it, 'errored')));
  return chain.some(({ error }) => errors.has(error));
}

/** Who closed the connection of a request that `hangup()` does not watch; undefined if it stands, or the response was complete. */
export function whoLeft(req: IncomingMessage): HangupCode | undefined {
  try {
    const { res } = req as { res?: ServerResponse };
    // HTTP/2: a cancelled stream has "finished" too, though nobody has ended it.
    if (res === undefined || (res.writableEnded && res.writableFinished)) return undefined;
    if (!isAlreadyGone(req, res)) return undefined;
    return whoClosed(req, res).code;
  } catch {
    // Not a whole request: a test's stub, or one whose socket pipeline() has taken away.
    return undefined;
  }
}
