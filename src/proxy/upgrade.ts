import { ServerResponse, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { rememberUpstream } from '../answer/upstream-info';
import { answerWithoutApp } from './continuation';
import { originOf, phaseOf, upstreamTimeout, type UpstreamTarget } from './upstream-facts';
import type { UserVerdicts } from './user-verdicts';

interface Handshake {
  readonly proxyReq: ClientRequest;
  readonly target: UpstreamTarget | undefined;
  isOver: boolean;
}

const handshakes = new WeakMap<Socket, Handshake>();
const nothing = (): void => undefined;

/**
 * Ties a WebSocket's two connections together. The handshake has a limit in ms; afterwards there is none, and whichever side
 * closes takes the other with it.
 */
export function watchUpgrade(
  proxyReq: ClientRequest,
  socket: Socket,
  target: UpstreamTarget | undefined,
  handshakeMs: number,
): void {
  const handshake: Handshake = { proxyReq, target, isOver: false };
  handshakes.set(socket, handshake);
  const timer =
    handshakeMs === Infinity
      ? undefined
      : setTimeout(() => proxyReq.destroy(upstreamTimeout(handshakeMs)), handshakeMs).unref();
  const leave = (): void => {
    proxyReq.removeAllListeners('error').on('error', nothing).destroy();
    socket.destroy();
  };
  const finish = (): void => {
    handshake.isOver = true;
    clearTimeout(timer);
    socket.off('close', leave).off('end', leave).off('readable', keepReading);
  };
  // Without a listener a reset of the client's would be an uncaught exception.
  socket.on('error', nothing).once('close', leave).once('end', leave).on('readable', keepReading);
  proxyReq.prependListener('response', (refusal: IncomingMessage) => {
    finish();
    relayRefusal(refusal, socket);
  });
  proxyReq.prependListener('upgrade', (_proxyRes: unknown, proxySocket: Socket) => {
    finish();
    closeTogether(socket, proxySocket);
    closeTogether(proxySocket, socket);
  });
  proxyReq.once('close', () => clearTimeout(timer));
}

// Nobody reads from the client before the connection is switched, and who does not read does not see it leave. What it may
// have sent stays in the buffer.
function keepReading(this: Socket): void {
  this.read(0);
}

// The pipes pass on an orderly end, but not that a side is gone.
function closeTogether(side: Socket, other: Socket): void {
  side.on('error', nothing).once('close', (hadError: boolean) => {
    if (hadError) other.destroy();
    else other.destroySoon();
  });
}

// Version 3 announces chunks and then sends none. Delimited by the end of the connection, the body is right in both
// versions, and a reset tells a fragment from the whole.
function relayRefusal(refusal: IncomingMessage, socket: Socket): void {
  delete refusal.headers['transfer-encoding'];
  delete refusal.headers['keep-alive'];
  refusal.headers.connection = 'close';
  refusal.prependListener('aborted', () => reset(socket));
  // Nobody reads from the client any more: it would not be seen to close.
  socket.once('finish', () => socket.destroy()).once('close', () => refusal.destroy());
}

function reset(socket: Socket): void {
  try {
    socket.resetAndDestroy();
  } catch {
    // TLS: there a connection that ends without a close_notify is known to be cut.
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
    // The user's own answer. Node has handed the connection over: nobody else would close it.
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

function note(error: unknown, { proxyReq, target }: Handshake): void {
  if (target === undefined) return;
  const phase = phaseOf(proxyReq, undefined, error);
  rememberUpstream(error, { origin: originOf(target), ...(phase && { phase }) });
}

/** Answers on the bare socket, which Node has handed over, as `gatewayErrorHandler()` does. */
function answer(error: unknown, req: IncomingMessage, socket: Socket): void {
  if (socket.destroyed || socket.writableEnded) return;
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  res.on('finish', () => socket.destroySoon());
  answerWithoutApp(error, req, res);
}
