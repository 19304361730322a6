import { errorMonitor } from 'node:events';
import type { Socket } from 'node:net';
import { now } from '../clock';
import type { OriginLog } from '../learned/origin-log';
import type { HttpCall } from './watch-http';

/** Where a socket is on its way to being usable. */
export type Stage = 'dns' | 'connect' | 'tls' | 'ready';

/** The life of one socket to an upstream. */
export class SocketLog {
  readonly bornAt = now();
  origin: OriginLog | undefined;
  stage: Stage = 'ready';
  /** The port of the last attempt to connect. */
  port: number | undefined;
  /** Requests that were written to it, as far as they were seen. */
  requests = 0;
  inFlight = 0;
  /** The request of node:http that it carries. */
  httpCall: HttpCall | undefined;
  idleSince: number | undefined;
  /** `bytesWritten` when the last request was over. */
  bytesBefore = 0;
  /** What the peer did to it: closed its side, or reset it. */
  endedBy: 'fin' | 'rst' | undefined;
  /** The socket's own timer has run out, or the pool has said that it closes it. */
  isTimedOut = false;

  constructor(
    readonly socket: Socket,
    /** Whether it was seen from its beginning: only then is the count of its requests known. */
    readonly isWhole: boolean,
  ) {}

  /** How long it has been idle; `undefined` where that is not known. */
  idleMs(at = now()): number | undefined {
    return this.idleSince === undefined ? undefined : at - this.idleSince;
  }
}

/** What somebody wants to know of the sockets that are watched. */
export interface SocketEvents {
  /** A pool has taken it back. */
  onFree: (log: SocketLog) => void;
  onClose: (log: SocketLog) => void;
}

/** What undici says when its own keep-alive timer closes a socket. */
const UNDICI_IDLE = 'socket idle timeout';

type WatchedSocket = Socket & { [log: symbol]: SocketLog | undefined };
type Listener = (this: Socket, first?: unknown, second?: unknown) => void;

/** The sockets to upstreams that are open now, each with its log. */
export class SocketLogs {
  /** On the sockets themselves: each request asks for the log several times, and a WeakMap is slower. */
  private readonly log = Symbol('express-hangup.socket');
  private readonly open = new Set<Socket>();
  private readonly listeners: (readonly [event: string | symbol, listener: Listener])[];

  constructor(private readonly events: SocketEvents) {
    // One function for all sockets and not a closure for each: a socket that lives long must cost little.
    const key = this.log;
    const handle = (act: (log: SocketLog, first: never, second: never) => void): Listener =>
      function onSocketEvent(first, second) {
        const log = (this as WatchedSocket)[key];
        if (log) act(log, first as never, second as never);
      };
    this.listeners = [
      ['lookup', handle((log) => (log.stage = 'connect'))],
      ['connectionAttempt', handle(noteAttempt)],
      ['connect', handle(noteConnect)],
      ['secureConnect', handle((log) => (log.stage = 'ready'))],
      ['timeout', handle((log) => (log.isTimedOut = true))],
      ['end', handle((log) => (log.endedBy ??= 'fin'))],
      [errorMonitor, handle(noteError)],
      ['free', handle((log) => this.events.onFree(log))],
      ['close', handle((log) => this.closed(log))],
    ];
  }

  of(socket: Socket): SocketLog | undefined {
    return (socket as WatchedSocket)[this.log];
  }

  /** Begins to watch a socket; what the flag means stands at `SocketLog`. */
  watch(socket: Socket, { isWhole }: { isWhole: boolean }): SocketLog {
    const known = this.of(socket);
    if (known) return known;
    const log = new SocketLog(socket, isWhole);
    (socket as WatchedSocket)[this.log] = log;
    this.open.add(socket);
    for (const [event, listener] of this.listeners) socket.on(event, listener);
    return log;
  }

  /** Stops watching all of them. */
  stop(): void {
    for (const socket of this.open) this.release(socket);
  }

  private closed(log: SocketLog): void {
    this.release(log.socket);
    this.events.onClose(log);
  }

  private release(socket: Socket): void {
    this.open.delete(socket);
    for (const [event, listener] of this.listeners) socket.off(event, listener);
  }
}

function isEncrypted(socket: Socket): boolean {
  return (socket as { encrypted?: boolean }).encrypted === true;
}

function noteConnect(log: SocketLog): void {
  log.stage = isEncrypted(log.socket) ? 'tls' : 'ready';
  // An agent may hide its pool: then the port is known only as long as the connection lasts.
  if (log.origin === undefined) log.port = log.socket.remotePort ?? log.port;
}

function noteAttempt(log: SocketLog, _address: string, port: number): void {
  log.stage = 'connect';
  log.port = port;
}

function noteError(log: SocketLog, error: NodeJS.ErrnoException): void {
  if (error.code === 'UND_ERR_INFO' && error.message === UNDICI_IDLE) log.isTimedOut = true;
  // An error by which the app destroys a socket may have any code; only the kernel's has a number.
  else if ((error.code === 'ECONNRESET' || error.code === 'EPIPE') && typeof error.errno === 'number')
    log.endedBy ??= 'rst';
}
