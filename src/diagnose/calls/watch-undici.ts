import type { Socket } from 'node:net';
import {
  beginCall,
  callAnswered,
  callDone,
  callFailed,
  type CallTarget,
  type UpstreamCall,
} from './upstream-call';
import { now } from '../clock';
import { noteFailure } from '../verdicts/note-failure';
import type { OriginLog } from '../learned/origin-log';
import { subscribeAll } from '../../subscribe-all';
import type { Phase } from '../verdicts/verdict';
import type { Watched } from './watched';

/** What is read of the messages of undici's channels: https://undici.nodejs.org/#/docs/api/DiagnosticsChannel */
interface TrackedRequest {
  readonly method?: unknown;
  readonly path?: unknown;
  readonly origin?: unknown;
  readonly aborted?: unknown;
  [call: symbol]: UpstreamCall | undefined;
}
interface OfRequest {
  readonly request: TrackedRequest;
}
interface OfConnect {
  readonly connectParams: { readonly host: string; readonly protocol: string };
}
interface Answer {
  readonly statusCode: number;
  readonly headers: readonly (Buffer | string)[];
}

/**
 * Follows the calls of every undici in the process: global fetch, and any version that is installed, for all publish on
 * the same channels. Gives the function that ends it.
 */
export function watchUndici(watched: Watched): () => void {
  const connects = watchConnects(watched);
  const endRequests = watchRequests(watched, connects.failed);
  return () => {
    connects.end();
    endRequests();
  };
}

function watchConnects({ origins, sockets }: Watched): {
  end: () => void;
  failed: WeakMap<object, number | undefined>;
} {
  /** The errors with which connections could not be made, while they make their way to the requests, and how long it took. */
  const failed = new WeakMap<object, number | undefined>();
  const originOf = ({ connectParams: { protocol, host } }: OfConnect): OriginLog =>
    origins.of(originText(`${protocol}//${host}`));
  const end = subscribeAll({
    'undici:client:beforeConnect': (message: OfConnect) => {
      const origin = originOf(message);
      origin.connecting++;
      origin.connectingSince = now();
    },
    'undici:client:connected': ({ socket, ...message }: OfConnect & { socket: Socket }) => {
      const origin = originOf(message);
      origin.connecting = Math.max(0, origin.connecting - 1);
      sockets.watch(socket, { isWhole: true });
    },
    'undici:client:connectError': ({ error, ...message }: OfConnect & { error: unknown }) => {
      const origin = originOf(message);
      // Of several that are under way undici does not tell which one has failed.
      const tookMs = origin.connecting === 1 ? now() - origin.connectingSince : undefined;
      origin.connecting = Math.max(0, origin.connecting - 1);
      if (typeof error === 'object' && error !== null) failed.set(error, tookMs);
    },
  });
  return { end, failed };
}

function watchRequests(watched: Watched, failedConnects: WeakMap<object, number | undefined>): () => void {
  const { origins, sockets, starts, retries } = watched;
  // On the requests themselves: a WeakMap would cost half a microsecond and more for each call.
  const CALL = Symbol('express-hangup.call');
  const callOf = (request: TrackedRequest): UpstreamCall | undefined => request[CALL];
  const failed = new WeakSet<object>();
  return subscribeAll({
    'undici:request:create': ({ request }: OfRequest) => starts.noteUndici(request),
    'undici:client:sendHeaders': ({ request, socket }: OfRequest & { socket: Socket }) => {
      const log = sockets.of(socket) ?? sockets.watch(socket, { isWhole: false });
      if (log.origin === undefined) {
        log.origin = origins.of(originText(request.origin));
        log.origin.openSockets++;
      }
      request[CALL] = beginCall(log);
    },
    'undici:request:bodySent': ({ request }: OfRequest) => {
      const call = callOf(request);
      if (call?.stage === 'sending') call.stage = 'waiting';
    },
    'undici:request:headers': ({ request, response }: OfRequest & { response: Answer }) => {
      const call = callOf(request);
      if (!call) return;
      callAnswered(call, response.statusCode, () => keepAliveIn(response.headers));
      const { origin } = call.socket;
      if (origin && response.statusCode < 500 && retries.isWaiting)
        retries.saved({ origin, target: targetOf(request), start: starts.of(request) });
    },
    'undici:request:trailers': ({ request }: OfRequest) => {
      const call = callOf(request);
      if (call) callDone(call);
      request[CALL] = undefined;
    },
    'undici:request:error': ({ request, error }: OfRequest & { error: unknown }) => {
      // A request that was aborted stays in undici's queue, and is told of the next failure there too.
      if (failed.has(request) || request.aborted === true) return;
      failed.add(request);
      noteError(watched, { request, error, call: callOf(request) }, failedConnects);
    },
  });
}

function noteError(
  { origins, onFailure, aborts, starts }: Watched,
  { request, error, call }: OfRequest & { error: unknown; call: UpstreamCall | undefined },
  failedConnects: WeakMap<object, number | undefined>,
): void {
  const origin = call?.socket.origin ?? origins.of(originText(request.origin));
  const isOfConnect = typeof error === 'object' && error !== null && failedConnects.has(error);
  const observation = {
    origin: origins.keep(origin),
    call,
    start: starts.of(request),
    target: targetOf(request),
    phase: phaseBefore(origin, isOfConnect),
    // undici tells by the error itself that it was told to stop.
    isDestroyedHere: false,
    abortedBy: aborts.current,
    isConnecting: isOfConnect,
    isTimedOut: false,
    endedBy: call?.socket.endedBy,
    connectingMs: isOfConnect ? failedConnects.get(error) : undefined,
  };
  noteFailure(error, observation, onFailure);
  if (call) callFailed(call);
}

/**
 * Where a request is that was not given a socket. undici does not tell which connection it waits for: while some are
 * open and another is being made, that stays unknown.
 */
function phaseBefore(origin: OriginLog, isOfConnect: boolean): Phase | undefined {
  // TCP's own failures name their system call; what is left is the handshake.
  if (isOfConnect) return origin.origin.startsWith('https:') ? 'tls' : 'connect';
  if (origin.connecting === 0) return 'queue';
  return origin.openSockets === 0 ? 'connect' : undefined;
}

function targetOf({ method, path }: TrackedRequest): CallTarget {
  return { method: String(method), path: String(path) };
}

/** An origin as it is kept: scheme, host and port, never a user or a path. */
function originText(origin: unknown): string {
  try {
    const { protocol, host } = new URL(String(origin));
    return `${protocol}//${host}`;
  } catch {
    return 'unknown:';
  }
}

function keepAliveIn(headers: Answer['headers']): string | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at];
    // Most names are told apart by their length, and are not decoded.
    if (name?.length === 10 && name.toString('latin1').toLowerCase() === 'keep-alive')
      return headers[at + 1]?.toString('latin1');
  }
  return undefined;
}
