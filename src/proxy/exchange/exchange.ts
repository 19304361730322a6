import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
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
import { withdrawHead } from './withdraw-head';

/** The settings that `hangupProxy()` derives from the user's options. */
export interface ProxySettings {
  readonly limits: ProxyLimits;
  readonly verdicts: UserVerdicts;
  /** The upstream that gets the request when the first one fails. */
  readonly fallback: string | undefined;
  /** Whether traffic is mirrored (`forward`). */
  readonly isMirrored: boolean;
  /** Whether the user's `on.proxyRes` or a plugin may look at the upstream's responses. */
  readonly isShown: boolean;
  /** Where the app has called `hangupProxy()`. The app has no line that makes the proxied requests. */
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
 * One proxied request: ties the upstream's request to the lifetime of the client's. It holds the state that `attempt.ts`,
 * `relay.ts` (the response) and `failure.ts` share.
 */
export class ProxyExchange {
  readonly lifetime: Lifetime;
  readonly next: Next;
  readonly expectation: string | undefined;
  proxyReq: ClientRequest | undefined = undefined;
  proxyRes: IncomingMessage | undefined = undefined;
  /** The response's headers before the upstream's were added, as long as those may be taken back. */
  ownHeaders: OutgoingHttpHeaders | undefined = undefined;
  options: ProxyRequestOptions = {};
  attempt = 1;
  hasFailed = false;
  isAbandoned = false;
  /** Whether the body of the response cannot be decoded. It may have arrived completely. */
  isUnreadable = false;
  staleCheck: ((error: NodeJS.ErrnoException) => boolean) | undefined = undefined;
  /** The options of the first attempt, as long as the fallback may still be tried. */
  spare: ProxyRequestOptions | undefined = undefined;
  /** Whether no byte of the request's body has left: it waits for the connection, or there is no body. */
  isBodyHere = true;
  /** How many early hints the client has got. */
  hints = 0;

  constructor(
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
    public target: UpstreamTarget | undefined,
    readonly context: ExchangeContext,
  ) {
    const headers = req.headers;
    // http-proxy and httpxy emit no `proxyReq` for a request with an `Expect` header. So it is taken off now and put back
    // before the request is sent. Node has already answered it with 100.
    this.expectation = headers.expect;
    if (this.expectation !== undefined) delete headers.expect;
    restoreFraming(req, headers);
    withholdTrailer(headers);
    this.next = continuationOf(req, res);
    this.lifetime = attachLifetime(req, res);
    this.lifetime.next ??= this.next;
    // A property, because a WeakMap by the response costs 3 µs for each request.
    (this.lifetime as Carrier)[EXCHANGE] = this;
    this.lifetime.onAbort((reason) => this.abort(reason));
    this.lifetime.onSettle(() => this.abandon());
  }

  /** The exchange of a request with this proxy; `undefined` where there is none, or a later one with another proxy. */
  static of(req: IncomingMessage, context: ExchangeContext): ProxyExchange | undefined {
    const exchange = ProxyExchange.latest(req);
    return exchange?.context === context ? exchange : undefined;
  }

  /** The exchange of a request with the proxy to which it was handed last. */
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

  /** Whether the client has got a part of the upstream's response and waits for the rest. */
  isStreaming(): boolean {
    const { proxyRes, res } = this;
    return proxyRes?.complete === false && res.headersSent && !res.writableEnded && !this.hasFailed;
  }

  /** Whether the upstream's response has arrived completely and is passed on, whatever then happens to the connection. */
  isWhole(): boolean {
    return this.proxyRes?.complete === true && !this.isUnreadable && !this.hasFailed;
  }

  /** The request is over before its answer: destroys the upstream's request with the reason as its error. */
  abort(reason: HangupError): void {
    if (this.proxyRes?.complete !== true) this.proxyReq?.destroy(errorFor(reason));
  }

  /**
   * The client has its answer, from the proxy or from somebody else, or is gone. Nobody waits for the upstream any more, so
   * its request is destroyed, even if the upstream has answered and only an upload is still under way.
   */
  abandon(): void {
    const { proxyReq, proxyRes } = this;
    if (!proxyReq || proxyReq.destroyed) return;
    // Whole but unread, it would hold its connection for good.
    if (proxyRes?.complete === true && proxyReq.writableFinished && !isUnread(proxyRes)) return;
    this.isAbandoned = true;
    this.takeOver();
    proxyReq.destroy();
  }

  /**
   * Detaches a broken response from the client's. The client has got nothing yet and can still be answered. But a pipe would
   * send the part that has arrived, httpxy would destroy the answer, and `responseInterceptor()` would make a 200 of the
   * error's message.
   */
  takeOver(): void {
    withdrawHead(this);
    this.proxyRes?.unpipe(this.res).removeAllListeners('error').removeAllListeners('close');
  }
}

/** Whether something is left of it, and nobody is reading. */
function isUnread(proxyRes: IncomingMessage): boolean {
  return (
    !proxyRes.readableEnded && proxyRes.readableFlowing !== true && proxyRes.listenerCount('readable') === 0
  );
}

/**
 * The error with which the upstream's request is destroyed. If the client has left, it has the code ECONNRESET: http-proxy
 * and httpxy then emit `econnreset` instead of `error`, and nothing is logged.
 */
function errorFor(reason: HangupError): Error {
  if (reason.code !== 'CLIENT_CLOSED_REQUEST' && reason.code !== 'RESPONSE_DESTROYED') return reason;
  return Object.assign(new Error(reason.message, { cause: reason }), { code: 'ECONNRESET' });
}
