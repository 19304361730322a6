import { createSecureServer, createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { nonNegative, checkOptionNames, oneOf } from '../check-options';
import { FaultPlan, type FaultChoice } from './fault-choice';
import { Http1Connection, type UpstreamParts } from './http1-upstream';
import { serveStream } from './http2-upstream';
import { Listener } from '../listener';
import { TEST_CERTIFICATES, TEST_CA, TEST_KEY } from './test-certificates';
import {
  UpstreamLog,
  type Closing,
  type SocketRecord,
  type UpstreamAttempt,
  type UpstreamSocket,
} from './upstream-log';

const TLS_MODES = ['none', 'trusted', 'self-signed', 'expired', 'wrong-name', 'hang', 'reset'] as const;

/** The options of `faultyUpstream()`. */
export interface FaultyUpstreamOptions {
  /** Which request gets which fault. Default: the fault in the request's path (`/reset`, `/slow?ms=300`), else `ok`. */
  fault?: FaultChoice;
  /** Default `http1`. */
  protocol?: 'http1' | 'http2';
  /**
   * Default `none`. `trusted` is a certificate that is signed by the upstream's `ca`. `self-signed`, `expired` and `wrong-name`
   * are three bad certificates. With `hang` and `reset` the TLS handshake hangs or is reset.
   */
  tls?: (typeof TLS_MODES)[number];
  /** The port to listen on. Default 0: any free port. */
  port?: number;
  /** The longest time that the waiting methods wait, in milliseconds. Default 5000. */
  patience?: number;
}

/** A server on loopback that fails on demand and records its requests and connections. */
export interface FaultyUpstream extends AsyncDisposable {
  /** `http://127.0.0.1:41234`; also as `origin`. */
  readonly url: string;
  readonly origin: string;
  readonly port: number;
  readonly speaks: 'http';
  readonly protocol: 'http1' | 'http2';
  /** Every request that has come, in order. The list and its entries are kept up to date. */
  readonly attempts: readonly UpstreamAttempt[];
  /** Every connection that was accepted, in order. The list and its entries are kept up to date. */
  readonly connections: readonly UpstreamSocket[];
  /** How many connections are open. */
  readonly sockets: number;
  /** The certificate to trust where `tls` is `trusted`, in PEM. */
  readonly ca: string;
  /**
   * Sets the fault for the requests that come from now on, for example for the next test. With `undefined`, their header or
   * path decides. `nextAttempt()` then skips the requests that have come before.
   */
  use(fault: FaultChoice | undefined): void;
  /** Closes every connection and refuses new ones (ECONNREFUSED) until `accept()`. */
  refuse(): Promise<void>;
  /** Accepts connections again, on the same port. */
  accept(): Promise<void>;
  /**
   * Resolves to the next request that no earlier call has returned. It may have come already. With a path (and its query), to
   * the next request for it: calls that a route makes at once come in any order.
   */
  nextAttempt(path?: string): Promise<UpstreamAttempt>;
  /** Waits until a connection, or the connection of an attempt, is closed. Resolves to how it was closed, and by whom. */
  untilClosed(what: UpstreamAttempt | UpstreamSocket): Promise<Closing>;
  /** Waits until an attempt has been answered, or was cut before that. Resolves to its `state` then. */
  untilOver(attempt: UpstreamAttempt): Promise<Exclude<UpstreamAttempt['state'], 'running'>>;
  /** Waits until no request is running: each has been answered or cut. */
  idle(): Promise<void>;
  /** Waits until every connection is closed. */
  allClosed(): Promise<void>;
  /** Forgets the requests and connections that are over. A long run needs this to keep its memory small. */
  forget(): void;
  /** Closes everything. Nothing of it keeps the process alive afterwards. */
  close(): Promise<void>;
}

/**
 * Starts a real server on 127.0.0.1 that fails on demand, in every way in which an upstream can fail. The fault of a request
 * is chosen by its header `x-fault`, else by the option `fault`, else by its path. Throws a TypeError for a fault that does
 * not exist.
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
    protocol,
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
    nextAttempt: (path) => log.nextAttempt(path),
    untilClosed: (what) => log.untilClosed(what),
    untilOver: (attempt) => log.untilOver(attempt),
    idle: () => log.idle(),
    forget: () => log.forget(),
    allClosed: () => log.allClosed(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Destroys every connection while the listener is being shut, because that waits for them. */
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
