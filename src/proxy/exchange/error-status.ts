import type { IncomingMessage } from 'node:http';
import { classifyError } from '../../answer/classify/classify-error';

interface StatusCarrier {
  status?: unknown;
  statusCode?: unknown;
  code?: unknown;
}

/** The codes of http-proxy-middleware 4 for a client's multipart fields that cannot be sent again. */
const INVALID_MULTIPART = /^HPM_ERR_INVALID_MULTIPART_/;

/**
 * Gives an error the `status` and `statusCode` by which Express's own error handler, Nest and others answer: 502 or 504 for
 * an upstream's fault. A status that the error already has stays.
 */
export function giveStatus(error: unknown, req: IncomingMessage): void {
  if (typeof error !== 'object' || error === null) return;
  const carrier: StatusCarrier = error;
  const value = carrier.status ?? carrier.statusCode ?? statusOf(carrier, req);
  if (value === undefined) return;
  for (const name of ['status', 'statusCode'] as const) {
    if (carrier[name] !== undefined) continue;
    // Not enumerable, so that a log of the error shows what it showed before. It has no effect on a frozen error.
    Reflect.defineProperty(error, name, { value, configurable: true, writable: true });
  }
}

function statusOf(error: StatusCarrier, req: IncomingMessage): number | undefined {
  const { code } = error;
  if (typeof code === 'string' && INVALID_MULTIPART.test(code)) return 400;
  return classifyError(error, req)?.status;
}
