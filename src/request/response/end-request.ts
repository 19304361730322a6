import type { ServerResponse } from 'node:http';
import type { HangupError } from '../../errors';
import { breakResponse } from './break-response';
import { discardLateCalls, isDiscarding } from './late-calls';
import type { Lifetime } from '../lifetime/lifetime';
import { unrefTimeout } from '../lifetime/unref-timeout';
import { handToErrorHandlers, hasStarted, nodeMethods, takeBackHead } from './response-gate';

/**
 * The longest time without progress on an answer. Then the request is ended without the app, so that none hangs for
 * ever.
 */
const BACKSTOP_MS = 5000;

/**
 * Ends a request whose time is up.
 *
 * A response that has started is cut at the moment of the abort. Otherwise a handler that listens to its signal and
 * calls `res.end()` could make a fragment look whole. Only an event stream may be ended within the grace, because
 * its clients reconnect. If the response has not started, the handler has the grace to fail in its own way.
 */
export function endRequest(lifetime: Lifetime, reason: HangupError, graceMs: number): void {
  if (hasStarted(lifetime.res)) endBegun(lifetime, reason, graceMs);
  else endUnbegun(lifetime, reason, graceMs);
}

function endBegun(lifetime: Lifetime, reason: HangupError, graceMs: number): void {
  const { res } = lifetime;
  if (isEventStream(res)) {
    lifetime.abort(reason);
    // A drain lets the event stream run until the drain closes connections by force.
    if (reason.code !== 'SERVER_DRAINING') waitGrace(lifetime, graceMs, cutResponse);
  } else if (reason.code !== 'SERVER_DRAINING') {
    lifetime.speaker = 'nobody';
    lifetime.abort(reason);
    cutResponse(lifetime);
  }
}

function endUnbegun(lifetime: Lifetime, reason: HangupError, graceMs: number): void {
  lifetime.speaker = lifetime.terms.fallback ? 'handler' : 'grace';
  lifetime.onEnded = discardLateCalls;
  lifetime.abort(reason);
  if (graceMs === 0) answerForHandler(lifetime);
  else waitGrace(lifetime, graceMs, answerForHandler);
}

function waitGrace(lifetime: Lifetime, graceMs: number, then: (lifetime: Lifetime) => void): void {
  if (lifetime.isEnded || lifetime.settled) return;
  const timer = unrefTimeout(then, graceMs, lifetime);
  lifetime.waitFor({ stop: () => clearTimeout(timer) });
}

function isEventStream(res: ServerResponse): boolean {
  return String(res.getHeader('content-type')).startsWith('text/event-stream');
}

/** Answers in the handler's place, if it has not answered: the app's error handlers get the reason. */
export function answerForHandler(lifetime: Lifetime): void {
  const { res, reason, next } = lifetime;
  if (reason === undefined || lifetime.settled || isAnswered(lifetime)) return;
  lifetime.stopClock();
  // The handler's own failure, or a success that `fallback` lets through, is being sent.
  if (hasStarted(res)) superviseAnswer(lifetime);
  else if (takeBackHead(res)) {
    handToErrorHandlers(lifetime);
    superviseAnswer(lifetime);
    if (next === undefined) answerWithoutApp(lifetime);
    else next(reason);
  } else cutResponse(lifetime);
}

function isAnswered(lifetime: Lifetime): boolean {
  const { isEnded, res, speaker } = lifetime;
  return (
    isEnded || res.writableEnded || speaker === 'answer' || speaker === 'middleware' || isDiscarding(lifetime)
  );
}

/**
 * Makes sure that an answer is sent. A middleware may hold it back for ever (a session store that has died), or an
 * error handler may never give one. If there is no progress for 5 s, the client gets an answer without a body, or
 * the response is cut.
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
    const timer = unrefTimeout(check, BACKSTOP_MS);
    lifetime.waitFor({ stop: () => clearTimeout(timer) });
  };
  wait();
}

function progressOf({ passes, res }: Lifetime): number {
  return passes + (res.socket?.bytesWritten ?? 0);
}

/** Whether written bytes wait because the client does not read them. */
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

/** Cuts a response that has started; the handler's later calls are discarded. */
export function cutResponse(lifetime: Lifetime): void {
  const { req, res } = lifetime;
  if (lifetime.isEnded || lifetime.settled) return;
  lifetime.speaker = 'nobody';
  lifetime.stopClock();
  breakResponse(req, res, lifetime.reason);
  // The error handlers get the reason for their logs only. They cannot answer any more.
  if (lifetime.reason) lifetime.next?.(lifetime.reason);
  discardLateCalls(lifetime);
}
