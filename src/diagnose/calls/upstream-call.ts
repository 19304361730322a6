import type { CapturedStack } from '../../answer/call-site';
import type { RequestTicket } from '../requests/request-ticket';
import { now } from '../clock';
import type { SocketLog } from './socket-log';

/** How far a request has come on its socket. */
export type CallStage = 'sending' | 'waiting' | 'body';

/** Where a call was made: noted when its request is created, before it has a socket. */
export interface CallStart {
  /** The line that made the call, not yet put into words. */
  readonly stack: CapturedStack | undefined;
  /** For which served request it was made; `undefined` outside of one, and where Node has no cheap context. */
  readonly ticket: RequestTicket | undefined;
}

/** What a call asks for. */
export interface CallTarget {
  readonly method: string;
  readonly path: string;
}

/** One request on its way to an upstream, from the moment at which it was given a socket. */
export interface UpstreamCall {
  readonly socket: SocketLog;
  /** When it was given the socket; `undefined` where it was first seen later. */
  readonly begunAt: number | undefined;
  stage: CallStage;
  /** Whether the socket had carried a request before; `undefined` where that cannot be told. */
  readonly reusedSocket: boolean | undefined;
  readonly idleMs: number | undefined;
  readonly requestsOnSocket: number | undefined;
  /** The status of the answer, once it has begun. */
  status: number | undefined;
}

/** A request is put on a socket; `reused` where the client says so itself. */
export function beginCall(socket: SocketLog, reused?: boolean): UpstreamCall {
  const begunAt = now();
  const idleMs = socket.inFlight === 0 ? socket.idleMs(begunAt) : undefined;
  socket.requests++;
  socket.inFlight++;
  socket.idleSince = undefined;
  socket.isTimedOut = false;
  if (socket.origin) {
    socket.origin.requests++;
    socket.origin.lastUsedAt = begunAt;
  }
  return {
    socket,
    begunAt,
    stage: 'sending',
    reusedSocket: reused ?? wasReused(socket),
    idleMs,
    requestsOnSocket: socket.isWhole ? socket.requests : undefined,
    status: undefined,
  };
}

function wasReused(socket: SocketLog): boolean | undefined {
  // A second request that we see is a reuse for certain; a first one only where the socket's beginning was seen too.
  return socket.isWhole || socket.requests > 1 ? socket.requests > 1 : undefined;
}

/** The answer has begun. `keepAlive` gives the value of that header; it is asked once for each socket. */
export function callAnswered(call: UpstreamCall, status: number, keepAlive: () => string | undefined): void {
  const { socket, idleMs, begunAt } = call;
  call.stage = 'body';
  call.status = status;
  const { origin } = socket;
  if (!origin) return;
  origin.answered(idleMs, begunAt === undefined ? undefined : now() - begunAt);
  if (socket.requests === 1) origin.idle.announcedMs = announcedMs(keepAlive()) ?? origin.idle.announcedMs;
}

/** The request is over and its socket can carry the next one. */
export function callDone({ socket }: UpstreamCall): void {
  const doneAt = now();
  const { bytesWritten } = socket.socket;
  if (socket.origin) {
    socket.origin.lastAnswerAt = doneAt;
    socket.origin.bodies.answered(bytesWritten - socket.bytesBefore);
  }
  if (socket.inFlight > 0) socket.inFlight--;
  if (socket.inFlight > 0) return;
  socket.isTimedOut = false;
  socket.idleSince = doneAt;
  socket.bytesBefore = bytesWritten;
}

/** The request has failed: its socket will not be idle, it is about to close. */
export function callFailed({ socket, status }: UpstreamCall): void {
  if (socket.inFlight > 0) socket.inFlight--;
  if (status !== undefined && socket.origin) socket.origin.lastAnswerAt = now();
}

/** The `timeout` parameter of a `Keep-Alive` field (RFC 2068, 19.7.1), in ms: the number, nothing else of it is kept. */
function announcedMs(keepAlive: string | undefined): number | undefined {
  const seconds = keepAlive === undefined ? undefined : /(?:^|[,;\s])timeout=(\d{1,6})/i.exec(keepAlive)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
