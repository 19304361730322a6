import type { InformationEvent } from 'node:http';
import type { ProxyExchange } from '../exchange/exchange';

/**
 * Passes on an upstream's 103 (RFC 8297), with only its `Link` fields, because browsers read no others. A client of HTTP/1.0
 * does not know 103 and gets none.
 */
export function relayEarlyHints({ req, res, lifetime }: ProxyExchange, information: InformationEvent): void {
  const { statusCode, headers } = information;
  const { link } = headers;
  if (statusCode !== 103 || link === undefined || req.httpVersion === '1.0') return;
  if (res.headersSent || lifetime.reason !== undefined || lifetime.settled) return;
  const { socket } = res;
  // A pipelined response has no socket until its turn comes, and Node would put the hints behind its head, as its body. For
  // a client that does not read they would pile up.
  if (!socket || socket.writableNeedDrain) return;
  try {
    res.writeEarlyHints({ link });
  } catch {
    // Node checks the links more strictly than browsers do. A hint may be left out.
  }
}
