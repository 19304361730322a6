import zlib from 'node:zlib';
import type { ProxyExchange } from './exchange';
import { refuseResponse } from './relay';
import { invalidResponse } from '../wire/upstream-facts';

/**
 * Answers 502 where `responseInterceptor()` has thrown because this Node cannot decode the body: version 4 decodes zstd with
 * a function that Node has since 22.15. Returns whether that was the reason.
 */
export function refuseUnknownCoding(exchange: ProxyExchange, thrown: unknown): boolean {
  const { proxyRes, hasFailed } = exchange;
  const isZstd = proxyRes?.headers['content-encoding'] === 'zstd' && !('createZstdDecompress' in zlib);
  if (!isZstd || hasFailed || (thrown as Partial<Error> | undefined)?.name !== 'TypeError') return false;
  exchange.isUnreadable = true;
  const advice = "take it out of the request's Accept-Encoding, or use Node 22.15 and later";
  const message = `The upstream's body is in zstd, which Node ${process.version} cannot decode: ${advice}`;
  refuseResponse(exchange, invalidResponse(message, thrown));
  return true;
}
