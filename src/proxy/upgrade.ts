import { ServerResponse, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { rememberUpstream } from '../answer/upstream-info';
import { answerWithoutApp } from './exchange/continuation';
import type { ExchangeContext } from './exchange/exchange';
import {
  invalidResponse,
  originOf,
  phaseOf,
  upstreamTimeout,
  whereOf,
  type UpstreamTarget,
} from './wire/upstream-facts';
import type { UserVerdicts } from './user-code/user-verdicts';
import { defectOf } from './exchange/relay';

interface Handshake {
  readonly context: ExchangeContext;
  readonly proxyReq: ClientRequest;
  readonly req: IncomingMessage;
  readonly socket: Socket;
  readonly target: UpstreamTarget | undefined;
  isOver: boolean;
}

/** The handshakes, by the client's socket and, once the upstream has switched protocols, also by the upstream's. */
const handshakes = new WeakMap<Socket, Handshake>();
const nothing = (): void => undefined;

/**
 * Ties a WebSocket's two connections together. The handshake has a time limit, and the WebSocket after it has none. When
 * one of the two connections closes, the other is closed too.
 */
export function watchUpgrade(begun: Omit<Handshake, 'isOver'>): void {
  const { context, proxyReq, socket } = begun;
  const handshake: Handshake = { ...begun, isOver: false };
  handshakes.set(socket, handshake);
  sendBare(proxyReq);
  const timer = limitHandshake(proxyReq, context.limits.handshakeMs);
  const leave = (): void => {
    proxyReq.removeAllListeners('error').on('error', nothing).destroy();
    socket.destroy();
  };
  const finish = (): void => {
    handshake.isOver = true;
    clearTimeout(timer);
    socket.off('close', leave).off('end', leave).off('readable', keepReading);
  };
  // Without an `error` listener a reset by the client would be an uncaught exception.
  socket.on('error', nothing).once('close', leave).once('end', leave).on('readable', keepReading);
  proxyReq.prependListener('response', (refusal: IncomingMessage) => {
    // No other request may reuse the connection, whatever the agent. Set only now: Node sets it when it writes the head.
    proxyReq.shouldKeepAlive = false;
    const defect = defectOf(refusal);
    if (defect === undefined) {
      finish();
      relayRefusal(refusal, socket);
    } else {
      refuse(handshake, refusal, defect);
    }
  });
  proxyReq.prependListener('upgrade', (_proxyRes: unknown, proxySocket: Socket) => {
    finish();
    handshakes.set(proxySocket, handshake);
    closeTogether(socket, proxySocket);
    closeTogether(proxySocket, socket);
  });
  proxyReq.once('close', () => clearTimeout(timer));
}

/**
 * Removes the headers that announce a body. http-proxy and httpxy send only the head of a handshake, so the upstream would
 * take the next bytes on the connection for the body.
 */
function sendBare(proxyReq: ClientRequest): void {
  if (proxyReq.headersSent) return;
  proxyReq.removeHeader('content-length');
  proxyReq.removeHeader('transfer-encoding');
}

function limitHandshake(proxyReq: ClientRequest, ms: number): NodeJS.Timeout | undefined {
  if (ms === Infinity) return undefined;
  return setTimeout(() => proxyReq.destroy(upstreamTimeout(ms)), ms).unref();
}

// Nobody reads from the client's socket before the protocols are switched. Without reading, Node does not notice that the
// client leaves. `read(0)` leaves the bytes that it may have sent in the buffer.
function keepReading(this: Socket): void {
  this.read(0);
}

// The pipes pass on an orderly end, but not a connection that is gone.
function closeTogether(side: Socket, other: Socket): void {
  side.on('error', nothing).once('close', (hadError: boolean) => {
    if (hadError) other.destroy();
    else closeSoon(other);
  });
}

function refuse(
  { context, proxyReq, req, socket }: Handshake,
  refusal: IncomingMessage,
  defect: string,
): void {
  // Both versions ignore a response with `upgrade: true`.
  Object.assign(refusal, { upgrade: true });
  context.server.emit('error', invalidResponse(defect), req, socket);
  proxyReq.destroy();
}

// Version 3 announces chunks and then sends none. If the end of the connection delimits the body, it is right in both
// versions, and a reset shows the client that it is a fragment.
function relayRefusal(refusal: IncomingMessage, socket: Socket): void {
  delete refusal.headers['transfer-encoding'];
  delete refusal.headers['keep-alive'];
  refusal.headers.connection = 'close';
  refusal.prependListener('aborted', () => reset(socket));
  // Nobody reads from the client's socket any more, so its closing would go unnoticed.
  socket.once('finish', () => socket.destroy()).once('close', () => refusal.destroy());
}

function reset(socket: Socket): void {
  try {
    socket.resetAndDestroy();
  } catch {
    // TLS sockets cannot be reset. There, an end without a close_notify shows that the connection was cut.
    socket.destroy();
  }
}

/** http-proxy or httpxy has reported an error of an upgrade; the user's `on.error` has seen it. */
export function failUpgrade(
  error: unknown,
  req: IncomingMessage,
  socket: Socket,
  verdicts: UserVerdicts,
): void {
  const handshake = handshakes.get(socket);
  const verdict = verdicts.consume(socket);
  const cause = verdict && 'thrown' in verdict ? verdict.thrown : error;
  if (socket.destroyed) return;
  if (socket.writableEnded) {
    // The user has answered. Node has handed the connection over, so nobody else would close it.
    socket.destroySoon();
    return;
  }
  if (handshake?.isOver === true) {
    reset(socket);
    return;
  }
  if (handshake) {
    handshake.isOver = true;
    note(error, handshake);
  }
  if (verdict && 'pending' in verdict) {
    verdict.pending.then(
      () => answer(error, req, socket),
      (thrown: unknown) => answer(thrown, req, socket),
    );
  } else answer(cause, req, socket);
}

/** The user's own `on.proxyReqWs`, `on.open` or `on.close` has failed. The handshake is answered if it still can be. */
export function failUpgradeByUser(socket: Socket, thrown: unknown, isClosing = false): void {
  const handshake = handshakes.get(socket);
  if (handshake === undefined) return;
  if (isClosing) handshake.socket.destroySoon();
  handshake.context.server.emit('error', thrown, handshake.req, handshake.socket);
}

/** Destroys a request that has no listeners yet, so that an error of it is no uncaught exception. */
export function dropHandshake(proxyReq: ClientRequest): void {
  proxyReq.on('error', nothing).destroy();
}

function note(error: unknown, { proxyReq, target, context }: Handshake): void {
  if (target === undefined) return;
  const phase = phaseOf(proxyReq, undefined, error);
  rememberUpstream(error, {
    origin: originOf(target),
    ...(phase && { phase }),
    ...whereOf(error, context.site),
  });
}

/** A socket, or the stream that Node 26 hands over instead, which has no `destroySoon()`. */
type UpgradedSocket = Omit<Socket, 'destroySoon'> & Partial<Pick<Socket, 'destroySoon'>>;

/** Answers on the bare socket, which Node has handed over, as `gatewayErrorHandler()` does. */
function answer(error: unknown, req: IncomingMessage, socket: UpgradedSocket): void {
  if (socket.destroyed || socket.writableEnded) return;
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket as Socket);
  res.on('finish', () => closeSoon(socket));
  answerWithoutApp(error, req, res);
}

/** Closes the socket when all that was written has left. Node 26 hands over another stream where the handshake has a body. */
function closeSoon(socket: UpgradedSocket): void {
  if (typeof socket.destroySoon === 'function') socket.destroySoon();
  else socket.end(() => socket.destroy());
}
