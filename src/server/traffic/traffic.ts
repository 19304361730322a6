import type { EventEmitter } from 'node:events';
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Http2SecureServer, Http2Server, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Connection } from './connection';
import { listenAlong } from './listen-along';

/** The servers of Node that speak HTTP. */
export type AnyServer = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

/** An answer: a response (HTTP/1 or HTTP/2), or an HTTP/2 stream that the app serves without a response object. */
export type Answer = ServerResponse | ServerHttp2Stream;

/** The events that a drain needs once it has begun. */
export interface TrafficObserver {
  connectionOpened(connection: Connection): void;
  connectionClosed(): void;
  sessionOpened(session: ServerHttp2Session): void;
  answerBegun(answer: Answer, traffic: Traffic): void;
  /** The answer is complete, or its connection has closed. */
  answerEnded(answer: Answer): void;
  upgraded(socket: Duplex): void;
}

type Http2Response = ServerResponse & { stream?: ServerHttp2Stream };

/** How long one turn of the event loop may close connections: closing 19,000 idle ones took half a second and more. */
const CLOSING_MS = 10;

/** A request that has taken its socket out of HTTP. */
export interface Upgrade {
  req: IncomingMessage;
  /** The bytes that had been written to its socket before. */
  bytesWritten: number;
}

/**
 * Tracks one server: its connections, its HTTP/2 sessions, the answers in progress, and the sockets that have left HTTP
 * (WebSocket). A request costs one listener and one map entry; all other work is done in the drain.
 */
export class Traffic {
  readonly connections = new Map<Duplex, Connection>();
  readonly sessions = new Set<ServerHttp2Session>();
  readonly answers = new Map<Answer, Connection | undefined>();
  readonly upgraded = new Map<Duplex, Upgrade>();
  /** How many connections were accepted, ever. */
  accepted = 0;
  observer: TrafficObserver | undefined = undefined;

  private readonly isHttp2: boolean;
  private readonly isTls: boolean;
  private readonly undo: (() => void)[] = [];

  constructor(readonly server: AnyServer) {
    // `instanceof tls.Server` would load node:tls, which takes longer than all of the core, and only HTTPS needs it.
    const isTls = 'setSecureContext' in server;
    this.isTls = isTls;
    this.isHttp2 = 'updateSettings' in server;
    // Below TLS the raw socket carries no request. It is tracked so that a silent one is closed, and all are at the
    // end.
    this.listen('connection', (socket: Socket) => this.connected(socket, isTls));
    if (isTls) this.listen('secureConnection', (socket: Socket) => this.connected(socket, false));
    this.listen('session', (session: ServerHttp2Session) => this.sessionOpened(session));
    // Before the app's own handler, which may answer at once.
    if (this.isHttp2) this.along('request', this.requested);
    else this.prepend('request', this.requested);
    for (const event of ['checkContinue', 'checkExpectation']) this.along(event, this.requested);
    this.along('stream', (stream: ServerHttp2Stream) => this.begin(stream, undefined));
    for (const event of ['upgrade', 'connect']) this.along(event, this.leftHttp);
  }

  /** Requests in flight. */
  get inFlight(): number {
    return this.answers.size;
  }

  /** Removes all listeners from the server. */
  stop(): void {
    for (const undo of this.undo) undo();
    this.undo.length = 0;
    this.observer = undefined;
  }

  /** Whether no later request on the same HTTP/1 connection waits for its answer behind this one (pipelining). */
  isLast(answer: Answer): boolean {
    const connection = this.answers.get(answer);
    return connection === undefined || connection.newest === answer;
  }

  /**
   * Closes the idle connections; with `isLate` also those that have sent only a part of a request. Gives the
   * milliseconds after which it should be called again, because another connection may be idle then. 0 means that
   * there was no time for all in this turn of the event loop; `Infinity` means "until something happens".
   */
  closeIdle(isLate: boolean): number {
    let next = Infinity;
    const giveWayAt = performance.now() + CLOSING_MS;
    const secured = this.securedPeers();
    for (const [socket, connection] of this.connections) {
      if (this.upgraded.has(socket) || socket.destroyed) continue;
      const isHandshake = connection.isRaw && !secured.has(peerOf(connection.socket));
      const idleIn = isHandshake ? connection.silentIn() : connection.idleIn();
      const isUseless = isLate && connection.inFlight === 0 && !connection.isRaw && !this.isHttp2;
      if (idleIn > 0 && !isUseless) next = Math.min(next, idleIn);
      else if (performance.now() < giveWayAt) socket.destroy();
      else return 0;
    }
    return next;
  }

  /** The clients whose TLS handshake is complete. */
  private securedPeers(): ReadonlySet<string> {
    if (!this.isTls) return NOBODY;
    const connections = [...this.connections.values()];
    return new Set(connections.filter(({ isRaw }) => !isRaw).map(({ socket }) => peerOf(socket)));
  }

  private connected(socket: Socket, isRaw: boolean): Connection {
    const connection = new Connection(socket, isRaw);
    this.connections.set(socket, connection);
    this.accepted += 1;
    socket.once('close', () => this.disconnected(connection));
    this.observer?.connectionOpened(connection);
    return connection;
  }

  private disconnected(connection: Connection): void {
    this.connections.delete(connection.socket);
    this.upgraded.delete(connection.socket);
    // Node 20 and 22 emit no `close` for a pipelined response that still waited for its turn.
    if (connection.inFlight > 0) {
      for (const [answer, own] of this.answers) if (own === connection) this.end(answer);
    }
    this.observer?.connectionClosed();
  }

  private sessionOpened(session: ServerHttp2Session): void {
    this.sessions.add(session);
    session.once('close', () => this.sessions.delete(session));
    this.observer?.sessionOpened(session);
  }

  private readonly requested = (req: IncomingMessage, res: Http2Response): void => {
    if (res.stream !== undefined && req.httpVersionMajor === 2) {
      // The same request, which was tracked by its bare stream until now.
      this.answers.delete(res.stream);
      this.begin(res, undefined);
    } else {
      this.begin(res, this.connections.get(req.socket) ?? this.connected(req.socket, false));
    }
  };

  private begin(answer: Answer, connection: Connection | undefined): void {
    // Tracked already: an app passes a request from `checkContinue` on to `request` itself.
    if (this.answers.has(answer)) return;
    this.answers.set(answer, connection);
    connection?.begin(answer);
    answer.on('close', this.onAnswerClose);
    this.observer?.answerBegun(answer, this);
  }

  // One function for all answers: a closure per request would cost every request, even without a drain.
  private readonly onAnswerClose = ((traffic: Traffic) =>
    function onAnswerClose(this: Answer): void {
      traffic.end(this);
    })(this);

  private end(answer: Answer): void {
    const connection = this.answers.get(answer);
    if (!this.answers.delete(answer)) return;
    connection?.end(answer);
    this.observer?.answerEnded(answer);
  }

  private readonly leftHttp = (req: IncomingMessage, socket: Duplex): void => {
    this.upgraded.set(socket, { req, bytesWritten: req.socket.bytesWritten });
    if (!this.connections.has(socket)) socket.once('close', () => this.upgraded.delete(socket));
    this.observer?.upgraded(socket);
  };

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- EventEmitter's own signature
  private listen(event: string, listener: (...args: any[]) => void): void {
    const server: EventEmitter = this.server;
    server.on(event, listener);
    this.undo.push(() => server.off(event, listener));
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- EventEmitter's own signature
  private prepend(event: string, listener: (...args: any[]) => void): void {
    const server: EventEmitter = this.server;
    server.prependListener(event, listener);
    this.undo.push(() => server.off(event, listener));
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- EventEmitter's own signature
  private along(event: string, listener: (...args: any[]) => void): void {
    this.undo.push(listenAlong(this.server, event, listener));
  }
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * The peer's address: the same for a TLS connection and the TCP connection below it. Over a Unix socket all are
 * equal.
 */
function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
