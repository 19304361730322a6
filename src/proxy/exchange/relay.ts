import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { ProxyExchange } from './exchange';
import { breakOff, failByUser, tell } from './failure';
import type { ProxyRequestOptions } from '../proxy-server';
import { endsInChunks, withholdForeignTokens } from '../wire/request-framing';
import { watchBody, watchListeners } from '../user-code/read-body';
import { relayTrailers } from '../wire/trailers';
import { invalidResponse, upstreamCut } from '../wire/upstream-facts';

/** Runs the listeners of `proxyRes`. If they read the body, what fails meanwhile is handled. */
export function showResponse(
  exchange: ProxyExchange,
  proxyRes: IncomingMessage,
  show: () => unknown,
): unknown {
  const isSelfHandled = exchange.options.selfHandleResponse === true;
  if (!isSelfHandled && !exchange.context.isShown) return show();
  const failed = (thrown: unknown): void => failByUser(exchange, thrown);
  if (!isSelfHandled) return watchListeners(proxyRes, failed, show);
  return watchBody(proxyRes, { failed, broken: (error) => bodyBroke(exchange, error) }, show);
}

/** The head of the upstream's response has arrived, and nothing has been passed on yet. */
export function relayResponse(exchange: ProxyExchange, proxyRes: IncomingMessage): void {
  const { options, req, res } = exchange;
  exchange.proxyRes = proxyRes;
  exchange.ownHeaders = res.getHeaders();
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

/** The text of a status line (RFC 9112, section 4). Node's parser accepts more than its own responses do. */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether a status line can be passed on. The usual phrases need no check by the pattern. */
function isStatusLine(statusCode: number, statusMessage: string): boolean {
  return STATUS_CODES[statusCode] === statusMessage || REASON_PHRASE.test(statusMessage);
}

/** Why a response cannot be passed on: Node would throw an uncaught exception, or the client could not see where it ends. */
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

/** Answers with an error instead of the upstream's response. */
export function refuseResponse(exchange: ProxyExchange, error: Error): void {
  exchange.options.selfHandleResponse = true;
  tell(exchange, error);
  // Wait until httpxy has added its listeners, which would destroy the answer: `takeOver()` removes them.
  process.nextTick(() => {
    exchange.takeOver();
    exchange.abandon();
  });
}

/** Removes the framing of a response without a body (RFC 9112, section 6.3). With it, Node throws if trailers are announced. */
function withholdFraming({ statusCode, headers }: IncomingMessage): void {
  if (statusCode !== 204 && statusCode !== 304) return;
  delete headers['transfer-encoding'];
  if (statusCode === 204) delete headers['content-length'];
}

function upstreamBroke(exchange: ProxyExchange, proxyRes: IncomingMessage): void {
  // It was destroyed on this side: by the user's own handler, or because the client has left.
  if (!proxyRes.socket.destroyed) return;
  if (exchange.isStreaming()) {
    breakOff(exchange, upstreamCut());
    return;
  }
  exchange.takeOver();
  if (!exchange.hasFailed) tell(exchange, upstreamCut());
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

// The upstream's `Keep-Alive` and `Connection` are not about the client's connection (RFC 9110, section 7.6.1). The header
// is set to undefined where that is enough, because deleting it would make every later access to the object slow.
function withholdConnection({ headers }: IncomingMessage, { selfHandleResponse }: ProxyRequestOptions): void {
  withholdForeignTokens(headers);
  if (headers['keep-alive'] === undefined) return;
  if (selfHandleResponse === true) delete headers['keep-alive'];
  else headers['keep-alive'] = undefined;
}
