import type { InformationEvent } from 'node:http';
import type { ProxyExchange } from '../exchange/exchange';

/** Node keeps those of an HTTP/2 stream until it ends, and those that a client does not read; browsers heed the first only. */
const MOST_HINTS = 10;

/**
 * Passes on an upstream's 103 (RFC 8297), with only its `Link` fields, because browsers read no others. A client of HTTP/1.0
 * does not know 103 and gets none.
 */
export function relayEarlyHints(exchange: ProxyExchange, information: InformationEvent): void {
  const { req, res, lifetime } = exchange;
  const { statusCode, headers } = information;
  const { link } = headers;
  if (statusCode !== 103 || link === undefined || req.httpVersion === '1.0') return;
  if (exchange.hints === MOST_HINTS) return;
  if (res.headersSent || lifetime.reason !== undefined || lifetime.settled) return;
  const { socket } = res;
  // A pipelined response has no socket until its turn comes, and Node would put the hints behind its head, as its body. For
  // a client that does not read they would pile up.
  if (!socket || socket.writableNeedDrain) return;
  exchange.hints += 1;
  try {
    res.writeEarlyHints({ link });
  } catch {
    // Node checks the links more strictly than browsers do. A hint may be left out.
  }
}
