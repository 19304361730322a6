import { channel, type Channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { HangupCode } from './errors';
import type { FaultCode, UpstreamInfo } from './answer/fault';
import { privateField } from './private-field';

/** What every event says of its request. It never contains a query string, a header value or a body. */
export interface RequestEvent {
  /** The HTTP method. */
  method: string;
  /** The route's pattern, `/users/:id`, or `undefined` where no route had matched yet. */
  route: string | undefined;
  /** Milliseconds since the request's arrival. */
  ms: number;
}

/** `express-hangup:abort`: a request's signal has aborted (even if nobody has read the signal). */
export interface AbortEvent extends RequestEvent {
  code: HangupCode;
}

/** `express-hangup:fault`: `gatewayErrorHandler()` has classified an error; published before it answers. */
export interface FaultEvent extends RequestEvent {
  code: FaultCode;
  status: number;
  /** What the handler did: it sent an answer, cut a response that had started, or sent nothing because the client was gone. */
  outcome: 'answered' | 'broken' | 'discarded';
  /** The error as it was thrown. It may hold anything that the app has put into it. */
  error: unknown;
  /** Which upstream, where it is known. */
  upstream: UpstreamInfo | undefined;
}

/** `express-hangup:late-response`: a handler wrote after the request had been answered for it. Once per request. */
export interface LateResponseEvent extends RequestEvent {
  /** The method that the handler called: `end`, `setHeader`, … or `next` for a late error. */
  call: string;
  /** Milliseconds after the request had been answered for the handler. */
  lateMs: number;
  /** Where it was called, `undefined` when `NODE_ENV` is `production`. */
  stack: string | undefined;
  /** What was thrown too late, where it was an error: `call` is then `next`. */
  error: unknown;
}

/** `express-hangup:settle`: a request is over, in whatever way. Once per request. */
export interface SettleEvent extends RequestEvent {
  /** The status of the response; 499 for a client that had left. */
  status: number;
  /** `finished`, or the code of what ended it. */
  outcome: 'finished' | HangupCode;
}

/** `express-hangup:drain`: a server that is `drainable()` enters a phase. */
export interface DrainEvent {
  phase: 'delay' | 'closing' | 'aborting' | 'forcing' | 'done';
  /** Milliseconds since the drain began. */
  ms: number;
  /** Requests in flight at this moment. */
  inFlight: number;
}

/** `express-hangup:retry`: `upstream()` is about to send a request again. */
export interface RetryEvent {
  origin: string;
  method: string;
  /** 2 for the first retry. */
  attempt: number;
  /** Milliseconds that it waits before it sends. */
  delayMs: number;
  /** The status or the error code that made it retry. */
  cause: number | string;
}

/** `express-hangup:detached`: work of `detached()` has failed, and nobody has handled its error. */
export interface DetachedEvent {
  /** What the work threw or was rejected with. It may hold anything that the app has put into it. */
  error: unknown;
  /** Milliseconds since the work began. */
  ms: number;
}

const requests = privateField<IncomingMessage>();

/** Notes the request of an event for this package's own listeners. The event itself may be logged, so it does not hold it. */
export function noteRequestOf(event: RequestEvent, req: IncomingMessage): void {
  requests.set(event, req);
}

/** The request that `noteRequestOf()` has noted. */
export function requestOf(event: RequestEvent): IncomingMessage | undefined {
  return requests.get(event);
}

function typedChannel<Message>(name: string): Channel<unknown, Message> {
  return channel<unknown, Message>(`express-hangup:${name}`);
}

/** The channels, from `node:diagnostics_channel`. No event is built as long as nobody subscribes. */
export const channels = {
  abort: typedChannel<AbortEvent>('abort'),
  fault: typedChannel<FaultEvent>('fault'),
  lateResponse: typedChannel<LateResponseEvent>('late-response'),
  settle: typedChannel<SettleEvent>('settle'),
  drain: typedChannel<DrainEvent>('drain'),
  retry: typedChannel<RetryEvent>('retry'),
  detached: typedChannel<DetachedEvent>('detached'),
} as const;
