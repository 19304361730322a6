import { createSecureServer, createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { nonNegative, checkOptionNames, oneOf } from '../check-options';
import { FaultPlan, type FaultChoice } from './fault-choice';
import { Http1Connection, type UpstreamParts } from './http1-upstream';
import { serveStream } from './http2-upstream';
import { Listener } from '../listener';
import { TEST_CERTIFICATES, TEST_CA, TEST_KEY } from '../test-certificates';
import {
  UpstreamLog,
  type Closing,
  type SocketRecord,
  type UpstreamAttempt,
  type UpstreamSocket,
} from './upstream-log';

const TLS_MODES = ['none', 'trusted', 'self-signed', 'expired', 'wrong-name', 'hang', 'reset'] as const;

/** What `faultyUpstream()` can be told. */
export interface FaultyUpstreamOptions {
  /** What it does to which request. Default: what the request's path says (`/reset`, `/slow?ms=300`), else `ok`. */
  fault?: FaultChoice;
  /** Default `http1`. */
  protocol?: 'http1' | 'http2';
  /**
   * Default `none`. `trusted` is signed by the `ca` of the upstream; `self-signed`, `expired` and `wrong-name` are three bad
   * certificates; `hang` and `reset` do that to the handshake.
   */
  tls?: (typeof TLS_MODES)[number];
  /** The port to listen on. Default 0: one that is free. */
  port?: number;
  /** How long its waiting methods wait, in milliseconds. Default 5000. */
  patience?: number;
}

/** A server on loopback that fails as it is told, and that remembers who did what. */
export interface FaultyUpstream extends AsyncDisposable {
  /** `http://127.0.0.1:41234`; also as `origin`. */
  readonly url: string;
  readonly origin: string;
  readonly port: number;
  readonly speaks: 'http';
  /** Every request that has come, in order, kept up to date. */
  readonly attempts: readonly UpstreamAttempt[];
  /** Every connection that was accepted, in order, kept up to date. */
  readonly connections: readonly UpstreamSocket[];
  /** How many connections are open. */
  readonly sockets: number;
  /** The certificate to trust where `tls` is `trusted`, in PEM. */
  readonly ca: string;
  /**
   * Chooses anew what it does to the requests that come from now on, for the next test; `undefined` leaves it to their header
   * and path. `nextAttempt()` then waits for those.
   */
  use(fault: FaultChoice | undefined): void;
  /** Closes every connection and refuses new ones (ECONNREFUSED) until `accept()`. */
  refuse(): Promise<void>;
  /** Accepts connections again, on the same port. */
  accept(): Promise<void>;
  /** Waits for the next request that no earlier call has given; one that has come already is given at once. */
  nextAttempt(): Promise<UpstreamAttempt>;
  /** Waits until a connection is closed, or that on which an attempt came, and tells by whom. */
  untilClosed(what: UpstreamAttempt | UpstreamSocket): Promise<Closing>;
  /** Waits until no request is running: all are answered or cut. */
  idle(): Promise<void>;
  /** Waits until every connection is closed. */
  allClosed(): Promise<void>;
  /** Forgets the requests and connections that are over, so that a long run does not fill the memory. */
  forget(): void;
  /** Closes everything; nothing keeps the process alive afterwards. */
  close(): Promise<void>;
}

/**
 * Starts a real server on 127.0.0.1 that fails in each way that a network knows, on demand and always in the same way. Which
 * fault a request gets is said by its header `x-fault`, else by `fault`, else by its path. Throws a TypeError for a fault
 * that does not exist.
 */
export async function faultyUpstream(options: FaultyUpstreamOptions = {}): Promise<FaultyUpstream> {
  checkOptionNames('faultyUpstream()', options, ['fault', 'protocol', 'tls', 'port', 'patience']);
  const protocol = oneOf('faultyUpstream(): protocol', options.protocol, ['http1', 'http2']);
  const tls = oneOf('faultyUpstream(): tls', options.tls, TLS_MODES);
  const log = new UpstreamLog(nonNegative('faultyUpstream(): patience', options.patience, 5000));
  const plan = new FaultPlan(options.fault, protocol === 'http2');
  const serve = connectionHandler(protocol, tls, { log, faultFor: (attempt) => plan.for(attempt) });
  const listener = new Listener(serve, nonNegative('faultyUpstream(): port', options.port, 0));
  await listener.open();
  const origin = `${tls === 'none' ? 'http' : 'https'}://127.0.0.1:${listener.port}`;
  const close = async (): Promise<void> => {
    await dropAll(log, listener.close());
    log.close();
  };
  return {
    url: origin,
    origin,
    port: listener.port,
    speaks: 'http',
    attempts: log.attempts,
    connections: log.sockets,
    ca: TEST_CA,
    get sockets() {
      return log.open();
    },
    use(fault) {
      plan.use(fault);
      log.passOver();
    },
    refuse: () => dropAll(log, listener.refuse()),
    accept: () => listener.open(),
    nextAttempt: () => log.nextAttempt(),
    untilClosed: (what) => log.untilClosed(what),
    idle: () => log.idle(),
    forget: () => log.forget(),
    allClosed: () => log.allClosed(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Drops every connection once the listener is being shut, which waits for them. */
async function dropAll(log: UpstreamLog, shut: Promise<void>): Promise<void> {
  for (const { closed, destroy } of log.sockets) if (!closed) destroy();
  await shut;
}

type Serve = (tcp: Socket) => void;

function connectionHandler(protocol: string, tls: (typeof TLS_MODES)[number], parts: UpstreamParts): Serve {
  const speak = protocol === 'http2' ? http2Speaker(tls, parts) : http1Speaker(tls, parts);
  return (tcp) => {
    const record = parts.log.opened();
    record.destroy = () => {
      parts.log.socketClosed(record, 'upstream', 'fin');
      tcp.destroy();
    };
    if (tls === 'hang') tcp.resume();
    else if (tls === 'reset') tcp.once('data', () => resetHandshake(tcp, record, parts.log));
    else speak(tcp, record);
    watchClosing(tcp, record, parts.log);
  };
}

function resetHandshake(tcp: Socket, record: SocketRecord, log: UpstreamLog): void {
  log.socketClosed(record, 'upstream', 'rst');
  tcp.resetAndDestroy();
}

function http1Speaker(tls: string, parts: UpstreamParts): (tcp: Socket, record: SocketRecord) => void {
  return (tcp, record) => {
    const socket = tls === 'none' ? tcp : new TLSSocket(tcp, { isServer: true, ...credentials(tls) });
    const connection = new Http1Connection(socket, tcp, record, parts);
    if (socket !== tcp) watchClosing(socket, record, parts.log);
    socket.on('close', () => connection.stop());
  };
}

function http2Speaker(tls: string, parts: UpstreamParts): (tcp: Socket, record: SocketRecord) => void {
  const server = tls === 'none' ? createHttp2Server() : createSecureServer(credentials(tls));
  const records = new Map<number | undefined, SocketRecord>();
  server.on('session', (session: ServerHttp2Session) => {
    const record = records.get(session.socket.remotePort);
    if (!record) return;
    session.on('stream', (stream, headers) =>
      serveStream(stream, headers as Record<string, string>, record, parts),
    );
    session.on('error', () => undefined);
  });
  server.on('sessionError', () => undefined);
  server.on('tlsClientError', () => undefined);
  return (tcp, record) => {
    const { remotePort } = tcp;
    records.set(remotePort, record);
    tcp.on('close', () => {
      if (records.get(remotePort) === record) records.delete(remotePort);
    });
    server.emit('connection', tcp);
  };
}

function credentials(tls: string): { key: string; cert: string } {
  return { key: TEST_KEY, cert: TEST_CERTIFICATES[tls as keyof typeof TEST_CERTIFICATES] };
}

function watchClosing(socket: Socket, record: SocketRecord, log: UpstreamLog): void {
  socket.on('end', () => log.socketClosed(record, 'client', 'fin'));
  socket.on('error', () => log.socketClosed(record, 'client', 'rst'));
  socket.on('close', () => log.socketClosed(record, 'client', 'fin'));
}
