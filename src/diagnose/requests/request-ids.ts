import type { IncomingMessage } from 'node:http';

/** By what a request is found again in other logs. */
export interface RequestIds {
  /** The trace id of the `traceparent` header: https://www.w3.org/TR/trace-context/#trace-id */
  traceId: string | undefined;
  /** `req.id` where the app has set one (pino-http), else the `X-Request-Id` header. */
  requestId: string | undefined;
}

const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}(?:-.*)?$/;
/** What ids are made of. Anything else in such a header is not an id, and is not kept. */
const REQUEST_ID = /^[\w.:@/+=-]{1,128}$/;

/** The ids that a request carries. Headers are a client's word: what does not look like an id is left out. */
export function idsOf(req: IncomingMessage): RequestIds {
  const traceparent = req.headers.traceparent;
  const traceId = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  const { id } = req as { id?: unknown };
  const own = typeof id === 'string' || typeof id === 'number' ? String(id) : req.headers['x-request-id'];
  return {
    traceId: traceId === '0'.repeat(32) ? undefined : traceId,
    requestId: typeof own === 'string' && REQUEST_ID.test(own) ? own : undefined,
  };
}
