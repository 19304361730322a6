import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HangupCode } from '../../errors';
import { causeOfBreak } from '../../request/response/break-response';
import { isAlreadyGone, whoClosed } from '../../request/lifetime/who-closed';
import { isObject, read, type ErrorFacts } from './error-chain';

/**
 * The codes of a write to a response whose client is gone. If the client is still there, they show a bug in the
 * app.
 */
const WRITE_FAILURES: ReadonlySet<unknown> = new Set([
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_UNABLE_TO_PIPE',
  'ERR_HTTP2_INVALID_STREAM',
]);

/** Whether the error alone shows that the client's connection broke, and not one to an upstream. */
export function isOfClient(chain: readonly ErrorFacts[], req?: IncomingMessage): boolean {
  const errored = req && read(req, 'errored');
  return chain.some(({ error, code, type, message, isAxiosError }) => {
    // raw-body, and with it body-parser
    if (type === 'request.aborted') return true;
    // Express's sendFile and download, formidable. undici and axios use the same message for something else.
    if (message === 'Request aborted' && !isAxiosError && (code === 'ECONNABORTED' || code === 1002))
      return true;
    // Node's error of a request whose connection broke. The identity alone is not enough: pipeline(req, upstream)
    // destroys the request with the upstream's error. Nor is the message: an upstream's response breaks with the
    // same one.
    return error === errored && code === 'ECONNRESET' && message === 'aborted';
  });
}

/** Whether an error can come from writing to, or reading from, a connection that has gone. */
export function isWriteToNobody(chain: readonly ErrorFacts[]): boolean {
  return chain.some(({ code }) => WRITE_FAILURES.has(code));
}

/** Whether the response, or its connection, was destroyed with one of these very errors, as `pipeline(upstream, res)` does. */
export function hasDestroyedResponse(chain: readonly ErrorFacts[], req: IncomingMessage): boolean {
  const destroyed = ['res', 'socket'].map((key) => read(req, key)).filter(isObject);
  const errors = new Set(destroyed.flatMap((it) => [read(it, 'errored'), causeOfBreak(it)]));
  return chain.some(({ error }) => errors.has(error));
}

/**
 * Who closed the connection of a request that `hangup()` does not watch; `undefined` if the connection is open, or
 * if the response was complete.
 */
export function whoLeft(req: IncomingMessage): HangupCode | undefined {
  try {
    const { res } = req as { res?: ServerResponse };
    // HTTP/2: a cancelled stream has "finished" too, although `end()` was not called.
    if (res === undefined || (res.writableEnded && res.writableFinished)) return undefined;
    if (!isAlreadyGone(req, res)) return undefined;
    return whoClosed(req, res).code;
  } catch {
    // Not a complete request: a test's stub, or a request whose socket pipeline() has removed.
    return undefined;
  }
}
