import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HangupCode } from '../errors';
import { enterConnection, leaveConnection } from './lifetime/connection';
import { answerForHandler, endRequest, superviseAnswer } from './response/end-request';
import { discardLateCalls } from './response/late-calls';
import { Lifetime, type LifetimeHost } from './lifetime/lifetime';
import { lifetimeOf, lifetimeOn, stampLifetime } from './lifetime/lifetime-of';
import { letPipesRun } from './response/pipes-to-closed';
import { gateResponse, hasStarted } from './response/response-gate';
import { isBun } from './lifetime/runtime';
import { connectionOf, isAlreadyGone, isHttp2, whoClosed } from './lifetime/who-closed';

/** The reasons for which this server ends a request while the client is still there. */
const OF_THIS_SERVER: ReadonlySet<HangupCode> = new Set([
  'DEADLINE_EXCEEDED',
  'RESPONSE_STALLED',
  'SERVER_DRAINING',
]);

/** The request's lifetime; where there is none yet, a new one without a deadline. */
export function attachLifetime(req: IncomingMessage, res: ServerResponse): Lifetime {
  return lifetimeOf(req) ?? newLifetime(req, res);
}

/** Ties a lifetime to a request that has none: to its response, its connection and their events. */
export function newLifetime(req: IncomingMessage, res: ServerResponse): Lifetime {
  const lifetime = new Lifetime(req, res, HOST);
  gateResponse(res);
  stampLifetime(res, lifetime);
  // Without Express there is no way from a request to its response.
  if ((req as { res?: ServerResponse }).res === undefined) stampLifetime(req, lifetime);
  const socket = isHttp2(req) ? undefined : connectionOf(req, res);
  if (isAlreadyGone(req, res, socket)) lifetime.closed();
  else if (socket !== undefined) {
    enterConnection(socket, lifetime);
    // One that waits for its turn in a pipeline can be destroyed without its connection. On Bun a response hears of a
    // departure before its connection does.
    if (isBun || res.socket === null) lifetime.watchClose();
  } else lifetime.watchClose();
  return lifetime;
}

const HOST: LifetimeHost = {
  hasStarted: ({ res }) => hasStarted(res),
  hasEnded: ({ isEnded, res }) => isEnded || res.writableEnded,
  hasClosed: ({ res }) => res.closed,
  watchClose({ res }) {
    // A mock of a response need not be an emitter.
    (res as Partial<ServerResponse>).on?.('close', onResponseClose);
  },
  leaveConnection,
  whoClosed: ({ req, res, socket }) => whoClosed(req, res, socket),
  deadlineMet(lifetime) {
    const isHeldBack = lifetime.isEndCalled && !lifetime.isEnded && !lifetime.res.writableEnded;
    if (isHeldBack) superviseAnswer(lifetime);
  },
  end: endRequest,
  refused: answerForHandler,
  aborted,
  result({ res, socket }) {
    // On Node 20 and 22 a response that had ended but was not flushed counts as finished on a dead connection too: then
    // the connection has an error. (That it is destroyed says nothing: after `Connection: close` it should be.)
    return { status: res.statusCode, isFlushed: res.writableFinished && !socket?.errored };
  },
};

function destroyRequest(lifetime: Lifetime): void {
  lifetime.isPassing = true;
  try {
    lifetime.req.destroy();
  } catch {
    // A test's request that is not a real one.
  } finally {
    lifetime.isPassing = false;
  }
}

function onResponseClose(this: ServerResponse): void {
  lifetimeOn(this)?.closed();
}

/** What is said on the response from now on reaches nobody, and must do no harm. */
function aborted(lifetime: Lifetime): void {
  const { req, res, reason, socket } = lifetime;
  letPipesRun(res);
  const hasClientLeft = whoClosed(req, res, socket).code === 'CLIENT_CLOSED_REQUEST';
  if (hasClientLeft && !hasStarted(res)) {
    // For access logs, whatever the handler still sets.
    Object.defineProperty(res, 'statusCode', {
      configurable: true,
      enumerable: true,
      get: () => 499,
      set: () => undefined,
    });
  }
  if (reason === undefined || !OF_THIS_SERVER.has(reason.code)) return;
  // Answered after its time, by whomever: a second answer is as late as any.
  discardLateCalls(lifetime);
  // Nobody reads on: what consumes the body (multer writes it to a file) has to hear that no more will come.
  if (socket !== undefined && !req.complete) destroyRequest(lifetime);
}
