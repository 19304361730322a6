import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { CapturedStack } from '../../answer/call-site';
import type { HangupError } from '../../errors';
import { attachLifetime } from '../../request/attach-lifetime';
import type { Lifetime, Next } from '../../request/lifetime/lifetime';
import { lifetimeOf } from '../../request/lifetime/lifetime-of';
import { continuationOf } from './continuation';
import type { ProxyLimits, ProxyRequestOptions, ProxyServer } from '../proxy-server';
import { restoreFraming } from '../wire/request-framing';
import { withholdTrailer } from '../wire/trailers';
import type { UpstreamTarget } from '../wire/upstream-facts';
import type { UserVerdicts } from '../user-code/user-verdicts';

/** What `hangupProxy()` has made of the user's options. */
export interface ProxySettings {
  readonly limits: ProxyLimits;
  readonly verdicts: UserVerdicts;
  /** The next upstream, should the first one fail. */
  readonly fallback: string | undefined;
  /** Whether traffic is mirrored (`forward`). */
  readonly isMirrored: boolean;
  /** Where the app has called `hangupProxy()`: no line of it makes the requests. */
  readonly site: CapturedStack;
}

/** What all exchanges of one proxy share. */
export interface ExchangeContext extends ProxySettings {
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
  /** The body of the response is here as a whole, and cannot be read. */
  isUnreadable = false;
  staleCheck: ((error: NodeJS.ErrnoException) => boolean) | undefined = undefined;
  /** The options of the first attempt, while there is another upstream to turn to. */
  spare: ProxyRequestOptions | undefined = undefined;
  /** No byte of the request's body has left: it waits for the connection, or there is none. */
  isBodyHere = true;

  constructor(
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
    public target: UpstreamTarget | undefined,
    readonly context: ExchangeContext,
  ) {
    const headers = req.headers;
    // http-proxy and httpxy do not tell of a request that carries an expectation: it is put back before the request is
    // sent. Node has answered it with 100 already.
    this.expectation = headers.expect;
    if (this.expectation !== undefined) delete headers.expect;
    restoreFraming(req, headers);
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
    const exchange = ProxyExchange.latest(req);
    return exchange?.context === context ? exchange : undefined;
  }

  /** The exchange of a request with whatever proxy it was handed to last. */
  static latest(req: IncomingMessage): ProxyExchange | undefined {
    return (lifetimeOf(req) as Carrier | undefined)?.[EXCHANGE];
  }

  /** Whether the exchange is waiting for its next attempt to start. */
  isReplaying(): boolean {
    return this.attempt > 1 && this.proxyReq === undefined;
  }

  /** The next attempt starts, perhaps with another upstream. */
  restart(target: UpstreamTarget | undefined): void {
    this.target = target;
    restoreFraming(this.req, this.req.headers);
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

  /**
   * The client has its answer, or is gone: whoever gave it, nobody waits for the upstream any more, nor for the rest of an
   * upload that it has answered already.
   */
  abandon(): void {
    const { proxyReq, proxyRes } = this;
    if (!proxyReq || proxyReq.destroyed || (proxyRes?.complete === true && proxyReq.writableFinished)) return;
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
