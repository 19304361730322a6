import type { ServerResponse } from 'node:http';
import type { HangupError } from '../../errors';
import { breakResponse } from './break-response';
import { discardLateCalls, isDiscarding } from './late-calls';
import type { Lifetime } from '../lifetime/lifetime';
import { handToErrorHandlers, hasStarted, nodeMethods, takeBackHead } from './response-gate';

/** How long an answer may make no progress before the request is ended without the app: no request hangs for ever. */
const BACKSTOP_MS = 5000;

/**
 * Ends a request whose time is up. A response that has begun is cut in the moment of its abort, so that a handler that
 * hears its signal and calls `res.end()` does not make a fragment look whole; only an event stream, whose clients know how
 * to go on, may be ended within the grace. Otherwise the handler has the grace to fail in its own way.
 */
export function endRequest(lifetime: Lifetime, reason: HangupError, graceMs: number): void {
  if (hasStarted(lifetime.res)) endBegun(lifetime, reason, graceMs);
  else endUnbegun(lifetime, reason, graceMs);
}

function endBegun(lifetime: Lifetime, reason: HangupError, graceMs: number): void {
  const { res } = lifetime;
  if (isEventStream(res)) {
    lifetime.abort(reason);
    // A drain lets it run until it forces.
    if (reason.code !== 'SERVER_DRAINING') waitGrace(lifetime, graceMs, cutResponse);
  } else if (reason.code !== 'SERVER_DRAINING') {
    lifetime.speaker = 'nobody';
    lifetime.abort(reason);
    cutResponse(lifetime);
  }
}

function endUnbegun(lifetime: Lifetime, reason: HangupError, graceMs: number): void {
  lifetime.speaker = lifetime.terms.fallback ? 'handler' : 'grace';
  lifetime.onEnded = () => discardLateCalls(lifetime);
  lifetime.abort(reason);
  if (graceMs === 0) answerForHandler(lifetime);
  else waitGrace(lifetime, graceMs, answerForHandler);
}

function waitGrace(lifetime: Lifetime, graceMs: number, then: (lifetime: Lifetime) => void): void {
  if (lifetime.isEnded || lifetime.settled) return;
  const timer = setTimeout(then, graceMs, lifetime).unref();
  lifetime.waitFor({ stop: () => clearTimeout(timer) });
}

function isEventStream(res: ServerResponse): boolean {
  return String(res.getHeader('content-type')).startsWith('text/event-stream');
}

/** Answers in the place of a handler that has not: the app's error handlers get the reason. */
export function answerForHandler(lifetime: Lifetime): void {
  const { res, reason, next } = lifetime;
  if (reason === undefined || lifetime.settled || isAnswered(lifetime)) return;
  lifetime.stopClock();
  // The handler's own failure, or what `fallback` lets through, is under way.
  if (hasStarted(res)) superviseAnswer(lifetime);
  else if (takeBackHead(res)) {
    handToErrorHandlers(lifetime);
    superviseAnswer(lifetime);
    if (next === undefined) answerWithoutApp(lifetime);
    else next(reason);
  } else cutResponse(lifetime);
}

function isAnswered({ isEnded, res, speaker }: Lifetime): boolean {
  return (
    isEnded || res.writableEnded || speaker === 'answer' || speaker === 'middleware' || isDiscarding(res)
  );
}

/**
 * Sees to it that an answer comes out. A middleware may hold it for ever (a session store that has died), an error handler
 * may never give it: when nothing has moved for 5 s the client gets a bare answer or a cut, never nothing.
 */
export function superviseAnswer(lifetime: Lifetime): void {
  let seen = progressOf(lifetime);
  const check = (): void => {
    if (lifetime.settled || lifetime.isEnded || lifetime.res.writableEnded) return;
    const now = progressOf(lifetime);
    if (now === seen && !isClientSlow(lifetime.res)) answerWithoutApp(lifetime);
    else wait();
    seen = now;
  };
  const wait = (): void => {
    const timer = setTimeout(check, BACKSTOP_MS).unref();
    lifetime.waitFor({ stop: () => clearTimeout(timer) });
  };
  wait();
}

function progressOf({ passes, res }: Lifetime): number {
  return passes + (res.socket?.bytesWritten ?? 0);
}

/** What has been written waits for the client to read it. */
function isClientSlow(res: ServerResponse): boolean {
  return (res.socket?.writableLength ?? 0) > 0;
}

function answerWithoutApp(lifetime: Lifetime): void {
  const { res, reason } = lifetime;
  if (lifetime.settled || lifetime.isEnded) return;
  if (hasStarted(res) || !takeBackHead(res)) {
    cutResponse(lifetime);
    return;
  }
  const status = reason?.status ?? 502;
  handToErrorHandlers(lifetime);
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  res.statusCode = status;
  if (status === 503) res.setHeader('Retry-After', '1');
  if (res.req.httpVersionMajor < 2) res.setHeader('Connection', 'close');
  nodeMethods(res).end.call(res);
  lifetime.ended();
  discardLateCalls(lifetime);
}

/** Breaks a response that has begun; what the handler still says is discarded. */
export function cutResponse(lifetime: Lifetime): void {
  const { req, res } = lifetime;
  if (lifetime.isEnded || lifetime.settled) return;
  lifetime.speaker = 'nobody';
  lifetime.stopClock();
  breakResponse(req, res, lifetime.reason);
  // For their logs: there is nothing left to answer.
  if (lifetime.reason) lifetime.next?.(lifetime.reason);
  discardLateCalls(lifetime);
}
