import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HangupCode } from '../errors';
import { enterConnection, leaveConnection } from './lifetime/connection';
import { answerForHandler, endRequest, superviseAnswer } from './response/end-request';
import { discardLateCalls } from './response/late-calls';
import { Lifetime, type LifetimeHost } from './lifetime/lifetime';
import { lifetimeOf, lifetimeOn, stampRequest, stampResponse } from './lifetime/lifetime-of';
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
  stampResponse(res, lifetime);
  // Without Express there is no way from a request to its response. And if an app passes a Proxy of a response to its
  // router, `req.res` leads to the response itself.
  const { res: known } = req as { res?: ServerResponse | null };
  if (!known) stampRequest(req, lifetime);
  else if (known !== res) stampResponse(known, lifetime);
  const socket = isHttp2(req) ? undefined : connectionOf(req, res);
  if (isAlreadyGone(req, res, socket)) lifetime.closed();
  else if (socket !== undefined) {
    enterConnection(socket, lifetime);
    // A pipelined response that waits for its turn can be destroyed while its connection stays open. On Bun the
    // response emits `close` before its connection does when the client leaves.
    if (isBun || res.socket === null) lifetime.watchClose();
  } else lifetime.watchClose();
  return lifetime;
}

const HOST: LifetimeHost = {
  hasStarted: ({ res }) => hasStarted(res),
  hasEnded: ({ isEnded, res }) => isEnded || res.writableEnded,
  hasClosed: ({ res }) => res.closed,
  watchClose({ res }) {
    // A mocked response may not be an event emitter.
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
    // On Node 20 and 22 `writableFinished` is also true for a response that ended but could not be flushed because its
    // connection broke. In that case the socket has an error. (`socket.destroyed` does not help: after
    // `Connection: close` the socket is destroyed as it should be.)
    return { status: res.statusCode, isFlushed: res.writableFinished && !socket?.errored };
  },
};

function destroyRequest(lifetime: Lifetime): void {
  lifetime.isPassing = true;
  try {
    lifetime.req.destroy();
  } catch {
    // A mocked request in a test.
  } finally {
    lifetime.isPassing = false;
  }
}

function onResponseClose(this: ServerResponse): void {
  lifetimeOn(this)?.closed();
}

/** All responses share it: with accessors of its own each would live until the next full garbage collection. */
const STATUS_499: PropertyDescriptor = {
  configurable: true,
  enumerable: true,
  get: () => 499,
  set: () => undefined,
};

/** Makes calls on the response harmless after the abort: they no longer reach the client. */
function aborted(lifetime: Lifetime): void {
  const { req, res, reason, socket } = lifetime;
  letPipesRun(lifetime);
  const hasClientLeft = whoClosed(req, res, socket).code === 'CLIENT_CLOSED_REQUEST';
  if (hasClientLeft && !hasStarted(res)) {
    // Access logs read 499, even if the handler still sets another status.
    Object.defineProperty(res, 'statusCode', STATUS_499);
  }
  if (reason === undefined || !OF_THIS_SERVER.has(reason.code)) return;
  // The request has been answered after its deadline. Any further answer is late.
  discardLateCalls(lifetime);
  // The rest of the request's body is never read. Its consumer (multer writes it to a file) must learn that it ends
  // here.
  if (socket !== undefined && !req.complete) destroyRequest(lifetime);
}
