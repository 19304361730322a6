import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { isReplayableMethod } from './replayable';

/** How long a connection may be idle and be used again: below the 5 s after which Node's own servers close it. */
const IDLE_MS = 4000;

/** An upstream that announces its limit is taken at its word less this much, for the way there and for busy event loops. */
const HINT_MARGIN_MS = 1000;

/** How long a connection may have been idle for a request that cannot be repeated should it turn out dead. */
const FRESH_MS = 1000;

/** What `http.request()` calls, and by which it knows an agent; not among the types. */
interface AgentLike {
  addRequest(request: ClientRequest, options: RequestOptions): void;
}

const agentLike = (agent: HttpAgent): AgentLike => agent as unknown as AgentLike;

const hints = new WeakMap<Duplex, number>();
const idleSince = new WeakMap<Duplex, number>();
const idleBefore = new WeakMap<Duplex, number>();

/** How long a reused socket had been idle before its present request, in ms; `undefined` for other agents' sockets. */
export function idleMsOf(socket: Duplex): number | undefined {
  return idleBefore.get(socket);
}

function noteHint(this: ClientRequest, response: IncomingMessage): void {
  const hint = response.headers['keep-alive'];
  if (hint === undefined || !this.socket) return;
  const seconds = /timeout=(\d+)/i.exec(String(hint))?.[1];
  if (seconds !== undefined) hints.set(this.socket, Number(seconds) * 1000);
}

function keepAlive(socket: Duplex, keep: (socket: Duplex) => void): boolean {
  const idleMs = Math.min(IDLE_MS, (hints.get(socket) ?? Infinity) - HINT_MARGIN_MS);
  if (idleMs <= 0) return false;
  keep(socket);
  setIdleTimeout(socket, idleMs);
  idleSince.set(socket, performance.now());
  return true;
}

// The agent destroys a socket that is idle for so long and belongs to no request.
function setIdleTimeout(socket: Duplex & { setTimeout?(ms: number): unknown }, ms: number): void {
  socket.setTimeout?.(ms);
}

function reuse(socket: Duplex): void {
  setIdleTimeout(socket, 0);
  idleBefore.set(socket, performance.now() - (idleSince.get(socket) ?? NaN));
}

/** Closes the idle connections to an upstream if the one that would be used next is not fresh. */
function dropAged({ freeSockets }: HttpAgent, { host, port }: RequestOptions): void {
  for (const [name, sockets = []] of Object.entries(freeSockets)) {
    const newest = sockets.at(-1);
    if (newest === undefined || !name.startsWith(`${host ?? ''}:${port ?? ''}:`)) continue;
    if (performance.now() - (idleSince.get(newest) ?? 0) < FRESH_MS) continue;
    for (const socket of sockets) socket.destroy();
  }
}

class KeepAliveHttpsAgent extends HttpsAgent {
  override keepSocketAlive(socket: Duplex): boolean {
    return keepAlive(socket, (it) => super.keepSocketAlive(it));
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    reuse(socket);
    super.reuseSocket(socket, request);
  }
}

/**
 * The agent that `hangupProxy()` brings along: keeps connections for http and https targets alike (a `router` may choose
 * either), and closes idle ones before the upstream does: after 4 s, or a second before the upstream's own
 * `Keep-Alive: timeout=`. What cannot be repeated, a POST, goes over a connection that was idle for less than a second.
 */
export class UpstreamAgent extends HttpAgent {
  private readonly tls = new KeepAliveHttpsAgent({ keepAlive: true });
  private readonly singleUse = { http: new HttpAgent(), https: new HttpsAgent() };

  constructor() {
    super({ keepAlive: true });
    // ClientRequest compares it with its own protocol; without one, the agent is for both.
    Object.assign(this, { protocol: undefined });
  }

  addRequest(request: ClientRequest, options: RequestOptions): void {
    const isTls = request.protocol === 'https:';
    // Not on a connection that may have gone stale: a handshake cannot be repeated.
    if (request.hasHeader('upgrade')) {
      agentLike(isTls ? this.singleUse.https : this.singleUse.http).addRequest(request, options);
      return;
    }
    // As httpxy does: an upstream that takes the framing for hop-by-hop must find no second request behind the body.
    if (request.hasHeader('transfer-encoding') && !request.headersSent) {
      request.setHeader('connection', 'close');
    }
    request.prependListener('response', noteHint);
    if (!isReplayableMethod(request.method)) dropAged(isTls ? this.tls : this, options);
    if (isTls) agentLike(this.tls).addRequest(request, options);
    else agentLike(HttpAgent.prototype).addRequest.call(this, request, options);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return keepAlive(socket, (it) => super.keepSocketAlive(it));
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    reuse(socket);
    super.reuseSocket(socket, request);
  }

  override destroy(): void {
    super.destroy();
    this.tls.destroy();
  }
}
