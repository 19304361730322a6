import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { breakResponse } from '../request/break-response';
import type { HangupError } from '../errors';
import { attachLifetime } from '../request/attach-lifetime';
import type { Lifetime, Next } from '../request/lifetime';
import { lifetimeOf } from '../request/lifetime-of';
import { rememberUpstream } from '../answer/upstream-info';
import { continuationOf } from './continuation';
import { interceptErrors } from './intercept-errors';
import type { ProxyLimits, ProxyRequestOptions, ProxyServer } from './proxy-server';
import { idleMsOf } from './upstream-agent';
import { hasBody, isReplayable } from './replayable';
import { sendAgain, staleCheck } from './stale-socket';
import { relayRequestTrailers, relayTrailers, withholdTrailer } from './trailers';
import { originOf, phaseOf, upstreamCut, upstreamTimeout, type UpstreamTarget } from './upstream-facts';
import type { UserVerdicts } from './user-verdicts';

/** What all exchanges of one `hangupProxy()` share. */
export interface ExchangeContext {
  readonly limits: ProxyLimits;
  readonly verdicts: UserVerdicts;
  readonly server: ProxyServer;
}

const EXCHANGE = Symbol('express-hangup.exchange');

interface Carrier {
  [EXCHANGE]?: Exchange;
}

const nothing = (): void => undefined;

/**
 * One proxied request: ties the upstream's request to the client's lifetime, and brings each failure to its end exactly
 * once, whatever http-proxy and httpxy say of it and however often.
 */
export class Exchange {
  private readonly lifetime: Lifetime;
  private readonly next: Next;
  private readonly expectation: string | undefined;
  private proxyReq: ClientRequest | undefined = undefined;
  private proxyRes: IncomingMessage | undefined = undefined;
  private options: ProxyRequestOptions = {};
  private attempt = 1;
  private hasFailed = false;
  private isAbandoned = false;
  private staleCheck: ((error: NodeJS.ErrnoException) => boolean) | undefined = undefined;

  constructor(
    private readonly req: IncomingMessage,
    private readonly res: ServerResponse,
    private readonly target: UpstreamTarget | undefined,
    private readonly context: ExchangeContext,
  ) {
    const headers = req.headers;
    // http-proxy and httpxy do not tell of a request that carries an expectation: it is put back in attach(). Node has
    // answered it with 100 already.
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
  static of(req: IncomingMessage, context: ExchangeContext): Exchange | undefined {
    const exchange = (lifetimeOf(req) as Carrier | undefined)?.[EXCHANGE];
    return exchange?.context === context ? exchange : undefined;
  }

  /** Whether the exchange is waiting for its second try to start. */
  isReplaying(): boolean {
    return this.attempt > 1 && this.proxyReq === undefined;
  }

  /** The upstream's request has got its socket, and nothing of it has been sent. */
  attach(proxyReq: ClientRequest, options: ProxyRequestOptions): void {
    // Version 3 with followRedirects tells of every hop, with the same request.
    if (this.proxyReq === proxyReq) return;
    this.proxyReq = proxyReq;
    this.options = options;
    interceptErrors(proxyReq, this.req, (error) => this.deal(error));
    const { lifetime, res } = this;
    if (lifetime.reason) this.abort(lifetime.reason);
    else if (lifetime.settled || res.writableEnded) this.abandon();
    else this.prepare(proxyReq, options);
  }

  private prepare(proxyReq: ClientRequest, options: ProxyRequestOptions): void {
    const { req } = this;
    if (this.expectation !== undefined) {
      req.headers.expect = this.expectation;
      if (!proxyReq.headersSent) proxyReq.setHeader('expect', this.expectation);
    }
    const { silenceMs } = this.context.limits;
    if (silenceMs !== Infinity) limitSilence(proxyReq, silenceMs);
    this.staleCheck = this.attempt === 1 && isReplayable(req, options) ? staleCheck(proxyReq) : undefined;
    if (hasBody(req) && options.buffer === undefined) {
      relayRequestTrailers(req, proxyReq);
      proxyReq.once('close', () => drain(req, proxyReq));
    }
  }

  /** Deals with an error of the upstream's request, if it is not for http-proxy-middleware to hear of it. */
  private deal(error: NodeJS.ErrnoException): boolean {
    if (this.isAbandoned) return true;
    if (this.isStreaming()) {
      this.breakOff(error);
      return true;
    }
    const isUnanswered = this.proxyRes === undefined && this.lifetime.reason === undefined;
    const isStale = isUnanswered && this.staleCheck?.(error) === true;
    if (isStale) this.replay(error);
    return isStale;
  }

  private replay(error: NodeJS.ErrnoException): void {
    this.attempt += 1;
    this.proxyReq = undefined;
    const origin = originOf(this.target ?? {});
    sendAgain({ ...this.context, req: this.req, res: this.res, options: this.options, origin, error });
  }

  /** The upstream's response has begun; nothing of it has been passed on. */
  watch(proxyRes: IncomingMessage): void {
    this.proxyRes = proxyRes;
    withholdKeepAlive(proxyRes, this.options);
    if (this.hasFailed || this.lifetime.reason !== undefined) {
      this.options.selfHandleResponse = true;
    } else if ((proxyRes.statusCode ?? 0) < 100) {
      this.refuse(proxyRes);
    } else {
      if (proxyRes.headers.trailer !== undefined) relayTrailers(proxyRes, this.req, this.res, this.options);
      proxyRes.on('aborted', () => this.upstreamBroke(proxyRes));
    }
  }

  // Node's parser accepts any three digits, its responses do not: passed on, such a status is an uncaught exception.
  private refuse(proxyRes: IncomingMessage): void {
    const message = `The upstream's status is ${proxyRes.statusCode}`;
    const error = Object.assign(new Error(message), { code: 'HPE_INVALID_STATUS' });
    this.options.selfHandleResponse = true;
    this.context.server.emit('error', error, this.req, this.res, this.target);
    // Not before httpxy has attached its own listeners, which would destroy the answer as well.
    process.nextTick(() => {
      this.takeOver();
      this.abandon();
    });
  }

  private upstreamBroke(proxyRes: IncomingMessage): void {
    // Destroyed on this side: by the user's own handler, or because the client has left.
    if (!proxyRes.socket.destroyed) return;
    if (this.isStreaming()) {
      this.breakOff(upstreamCut());
      return;
    }
    this.takeOver();
    this.fail(upstreamCut());
  }

  /** Whether the client has got a part of the upstream's response, and the rest is to come. */
  private isStreaming(): boolean {
    const { proxyRes, res } = this;
    return proxyRes?.complete === false && res.headersSent && !res.writableEnded && !this.hasFailed;
  }

  private breakOff(error: Error): void {
    const { req, res } = this;
    if (this.lifetime.settled || res.destroyed) return;
    this.hasFailed = true;
    this.remember(error);
    breakResponse(req, res, error);
    this.takeOver();
    this.pass(error);
    // For the logger and the user's `on.error`, which version 3 does not always tell, and version 4 may tell twice. Not
    // before it is broken: they may think that there is still something to be answered.
    this.context.server.emit('error', error, req, res, this.target);
  }

  /** http-proxy or httpxy has reported an error; the user's `on.error` has seen it. */
  fail(error: unknown, target?: UpstreamTarget): void {
    const { res, options } = this;
    const verdict = this.context.verdicts.take(res);
    // What becomes of mirrored traffic (`forward`) is not the client's business.
    if (target !== undefined && target === options.forward && target !== options.target) return;
    if (this.hasFailed) {
      if (verdict && 'thrown' in verdict) this.next(verdict.thrown);
      return;
    }
    // A response that is here as a whole is passed on as a whole, whatever then happens to the connection.
    if (this.lifetime.settled || this.proxyRes?.complete === true) return;
    this.hasFailed = true;
    this.takeOver();
    this.remember(error);
    if (verdict === undefined) this.passUnlessAnswered(error);
    else if ('thrown' in verdict) this.passUnlessAnswered(verdict.thrown);
    else {
      verdict.pending.then(
        () => this.passUnlessAnswered(error),
        (thrown: unknown) => this.passUnlessAnswered(thrown),
      );
    }
  }

  /**
   * Takes a broken response out of the hands of those who wait for the rest of it. The client has got nothing yet and can
   * be answered in full; but a pipe would still send what has come, httpxy would destroy the answer, and
   * `responseInterceptor()` would make a 200 of the error's message.
   */
  private takeOver(): void {
    this.proxyRes?.unpipe(this.res).removeAllListeners('error').removeAllListeners('close');
  }

  private passUnlessAnswered(error: unknown): void {
    const { res } = this;
    if (!res.headersSent && !res.writableEnded && !this.lifetime.settled) this.pass(error);
  }

  private pass(error: unknown): void {
    // The app's error handlers have it: at the end of the grace they must not get it again.
    this.lifetime.next = nothing;
    this.next(error);
  }

  private remember(error: unknown): void {
    const { proxyReq, proxyRes, target, attempt } = this;
    if (target === undefined) return;
    const phase = phaseOf(proxyReq, proxyRes, error);
    const idleMs = proxyReq?.socket && proxyReq.reusedSocket ? idleMsOf(proxyReq.socket) : undefined;
    rememberUpstream(error, {
      origin: originOf(target),
      attempt,
      ...(phase && { phase }),
      ...(proxyReq?.socket && { reusedSocket: proxyReq.reusedSocket }),
      ...(idleMs !== undefined && { idleMs }),
    });
  }

  private abort(reason: HangupError): void {
    if (this.proxyRes?.complete !== true) this.proxyReq?.destroy(errorFor(reason));
  }

  /** The client has its answer, or is gone: whoever gave it, nobody waits for the upstream any more. */
  private abandon(): void {
    const { proxyReq, proxyRes } = this;
    if (!proxyReq || proxyReq.destroyed || proxyRes?.complete === true) return;
    this.isAbandoned = true;
    this.takeOver();
    proxyReq.destroy();
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

// About the connection to the upstream; the client's own is kept for another time (RFC 9110, section 7.6.1). Not deleted
// where undefined does: that would make the object slow for all who read it.
function withholdKeepAlive({ headers }: IncomingMessage, { selfHandleResponse }: ProxyRequestOptions): void {
  if (headers['keep-alive'] === undefined) return;
  if (selfHandleResponse === true) delete headers['keep-alive'];
  else headers['keep-alive'] = undefined;
}

function limitSilence(proxyReq: ClientRequest, ms: number): void {
  proxyReq.setTimeout(ms, () => proxyReq.destroy(upstreamTimeout(ms)));
  // ClientRequest's own timeout begins after the connect.
  if (proxyReq.socket?.connecting === true) proxyReq.socket.setTimeout(ms);
}

// The rest of an upload that the upstream does not want: unread, it would block the client's connection, and with it the
// answer that the client should see.
function drain(req: IncomingMessage, proxyReq: ClientRequest): void {
  if (req.readableEnded || req.destroyed) return;
  req.unpipe(proxyReq);
  req.resume();
}
