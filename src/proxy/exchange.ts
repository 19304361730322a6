import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { HangupError } from '../errors';
import { attachLifetime } from '../request/attach-lifetime';
import type { Lifetime, Next } from '../request/lifetime';
import { lifetimeOf } from '../request/lifetime-of';
import { continuationOf } from './continuation';
import type { ProxyLimits, ProxyRequestOptions, ProxyServer } from './proxy-server';
import { withholdTrailer } from './trailers';
import type { UpstreamTarget } from './upstream-facts';
import type { UserVerdicts } from './user-verdicts';

/** What all exchanges of one `hangupProxy()` share. */
export interface ExchangeContext {
  readonly limits: ProxyLimits;
  readonly verdicts: UserVerdicts;
  readonly server: ProxyServer;
}

const EXCHANGE = Symbol('express-hangup.exchange');

interface Carrier {
  [EXCHANGE]?: ProxyExchange;
}

/**
 * One proxied request: ties the upstream's request to the client's lifetime. It holds what the attempts (`attempt.ts`), the
 * relay of the response (`relay.ts`) and the failure (`failure.ts`) have to know of one another.
 */
export class ProxyExchange {
  readonly lifetime: Lifetime;
  readonly next: Next;
  readonly expectation: string | undefined;
  proxyReq: ClientRequest | undefined = undefined;
  proxyRes: IncomingMessage | undefined = undefined;
  options: ProxyRequestOptions = {};
  attempt = 1;
  hasFailed = false;
  isAbandoned = false;
  staleCheck: ((error: NodeJS.ErrnoException) => boolean) | undefined = undefined;

  constructor(
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
    readonly target: UpstreamTarget | undefined,
    readonly context: ExchangeContext,
  ) {
    const headers = req.headers;
    // http-proxy and httpxy do not tell of a request that carries an expectation: it is put back before the request is
    // sent. Node has answered it with 100 already.
    this.expectation = headers.expect;
    if (this.expectation !== undefined) delete headers.expect;
    withholdTrailer(headers);
    this.next = continuationOf(req, res);
    this.lifetime = attachLifetime(req, res);
    this.lifetime.next ??= this.next;
    // A WeakMap by the response costs 3 µs for each request.
    (this.lifetime as Carrier)[EXCHANGE] = this;
    this.lifetime.onAbort((reason) => this.abort(reason));
    this.lifetime.onSettle(() => this.abandon());
  }

  /** The exchange of a request with this proxy; `undefined` where there is none, or a later one with another proxy. */
  static of(req: IncomingMessage, context: ExchangeContext): ProxyExchange | undefined {
    const exchange = (lifetimeOf(req) as Carrier | undefined)?.[EXCHANGE];
    return exchange?.context === context ? exchange : undefined;
  }

  /** Whether the exchange is waiting for its second try to start. */
  isReplaying(): boolean {
    return this.attempt > 1 && this.proxyReq === undefined;
  }

  /** Whether the client has got a part of the upstream's response, and the rest is to come. */
  isStreaming(): boolean {
    const { proxyRes, res } = this;
    return proxyRes?.complete === false && res.headersSent && !res.writableEnded && !this.hasFailed;
  }

  /** The request is over before its answer: the upstream's is destroyed, and the reason is its error. */
  abort(reason: HangupError): void {
    if (this.proxyRes?.complete !== true) this.proxyReq?.destroy(errorFor(reason));
  }

  /** The client has its answer, or is gone: whoever gave it, nobody waits for the upstream any more. */
  abandon(): void {
    const { proxyReq, proxyRes } = this;
    if (!proxyReq || proxyReq.destroyed || proxyRes?.complete === true) return;
    this.isAbandoned = true;
    this.takeOver();
    proxyReq.destroy();
  }

  /**
   * Takes a broken response out of the hands of those who wait for the rest of it. The client has got nothing yet and can
   * be answered in full; but a pipe would still send what has come, httpxy would destroy the answer, and
   * `responseInterceptor()` would make a 200 of the error's message.
   */
  takeOver(): void {
    this.proxyRes?.unpipe(this.res).removeAllListeners('error').removeAllListeners('close');
  }
}

/**
 * For a client that has left, the code by which http-proxy and httpxy recognise it: they then emit `econnreset` instead of
 * `error`, and nothing is logged.
 */
function errorFor(reason: HangupError): Error {
  if (reason.code !== 'CLIENT_CLOSED_REQUEST' && reason.code !== 'RESPONSE_DESTROYED') return reason;
  return Object.assign(new Error(reason.message, { cause: reason }), { code: 'ECONNRESET' });
}
