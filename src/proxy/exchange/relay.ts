import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { ProxyExchange } from './exchange';
import { breakOff, failByUser, failExchange, tell } from './failure';
import type { ProxyRequestOptions } from '../proxy-server';
import { endsInChunks, withholdForeignTokens } from '../wire/request-framing';
import { watchBody } from '../user-code/self-handled-body';
import { relayTrailers } from '../wire/trailers';
import { invalidResponse, upstreamCut } from '../wire/upstream-facts';

/** Runs those who listen for the upstream's response; a body that they read themselves is looked after. */
export function showResponse(
  exchange: ProxyExchange,
  proxyRes: IncomingMessage,
  show: () => unknown,
): unknown {
  if (exchange.options.selfHandleResponse !== true) return show();
  const rejected = (thrown: unknown): void => failByUser(exchange, thrown);
  return watchBody(proxyRes, { rejected, broken: (error) => bodyBroke(exchange, error) }, show);
}

/** The upstream's response has begun; nothing of it has been passed on. */
export function relayResponse(exchange: ProxyExchange, proxyRes: IncomingMessage): void {
  const { options, req, res } = exchange;
  exchange.proxyRes = proxyRes;
  withholdConnection(proxyRes, options);
  if (exchange.hasFailed || exchange.lifetime.reason !== undefined) {
    options.selfHandleResponse = true;
    return;
  }
  const defect = defectOf(proxyRes);
  if (defect !== undefined) {
    refuseResponse(exchange, invalidResponse(defect));
    return;
  }
  withholdFraming(proxyRes);
  if (proxyRes.headers.trailer !== undefined) relayTrailers(proxyRes, req, res, options);
  proxyRes.on('aborted', () => upstreamBroke(exchange, proxyRes));
}

/** What a status line may hold beside its code (RFC 9112, section 4). Node's parser lets more pass, its responses do not. */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether a status line is one that can be passed on. The usual phrases need no look at their letters. */
function isStatusLine(statusCode: number, statusMessage: string): boolean {
  return STATUS_CODES[statusCode] === statusMessage || REASON_PHRASE.test(statusMessage);
}

/** Why a response cannot be passed on: in Node's own it would be an uncaught exception, or would have no visible end. */
export function defectOf({
  statusCode = 0,
  statusMessage = '',
  headers,
}: IncomingMessage): string | undefined {
  if (statusCode < 200) return `The upstream's status is ${statusCode}`;
  if (!isStatusLine(statusCode, statusMessage))
    return "The upstream's reason phrase holds control characters";
  const encoding = headers['transfer-encoding'];
  const isEndless = encoding !== undefined && !endsInChunks(encoding);
  return isEndless ? "The upstream's Transfer-Encoding does not end in chunks" : undefined;
}

/** Answers with an error what the upstream has said, and passes nothing of it on. */
export function refuseResponse(exchange: ProxyExchange, error: Error): void {
  exchange.options.selfHandleResponse = true;
  tell(exchange, error);
  // Not before httpxy has attached its own listeners, which would destroy the answer as well.
  process.nextTick(() => {
    exchange.takeOver();
    exchange.abandon();
  });
}

/** Without a body there is no framing (RFC 9112, section 6.3), and Node throws where it announces trailers. */
function withholdFraming({ statusCode, headers }: IncomingMessage): void {
  if (statusCode !== 204 && statusCode !== 304) return;
  delete headers['transfer-encoding'];
  if (statusCode === 204) delete headers['content-length'];
}

function upstreamBroke(exchange: ProxyExchange, proxyRes: IncomingMessage): void {
  // Destroyed on this side: by the user's own handler, or because the client has left.
  if (!proxyRes.socket.destroyed) return;
  if (exchange.isStreaming()) {
    breakOff(exchange, upstreamCut());
    return;
  }
  exchange.takeOver();
  failExchange(exchange, upstreamCut());
}

function bodyBroke(exchange: ProxyExchange, cause: Error): boolean {
  const { res, lifetime } = exchange;
  if (exchange.hasFailed || lifetime.settled || res.writableEnded) return true;
  exchange.isUnreadable = true;
  const error = invalidResponse("The upstream's body is not what its Content-Encoding says", cause);
  if (res.headersSent) breakOff(exchange, error);
  else tell(exchange, error);
  return true;
}

// What the upstream says of its connection is not about the client's own (RFC 9110, section 7.6.1). Set to undefined
// where that is enough: deleting would make the object slow for all who read it.
function withholdConnection({ headers }: IncomingMessage, { selfHandleResponse }: ProxyRequestOptions): void {
  withholdForeignTokens(headers);
  if (headers['keep-alive'] === undefined) return;
  if (selfHandleResponse === true) delete headers['keep-alive'];
  else headers['keep-alive'] = undefined;
}
