import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { isReplayableMethod } from './replayable';
import { closeAfterBody, keepToLength } from './request-framing';

/** How long an idle connection is kept: less than the 5 s after which Node's own servers close it. */
const IDLE_MS = 4000;

/** This much is subtracted from a limit that the upstream announces, for latency and for busy event loops. */
const HINT_MARGIN_MS = 1000;

/** The longest time that a connection may have been idle to carry a request that cannot be repeated. */
const FRESH_MS = 1000;

/** The idle time after which TCP keep-alive probes begin; Node's default. */
const KEEP_ALIVE_MS = 1000;

/** The method that `http.request()` calls, and by which it recognises an agent. It is missing in the types. */
interface AgentLike {
  addRequest(request: ClientRequest, options: RequestOptions): void;
}

const agentLike = (agent: HttpAgent): AgentLike => agent as unknown as AgentLike;

/** What is known of a connection. It is stored on the socket, under a symbol, because every request reads and writes it. */
interface Kept {
  /** The upstream's last `Keep-Alive` header, and how long the connection may be idle because of it. */
  hint: string | undefined;
  idleMs: number;
  /** `performance.now()` when its last response was over. */
  idleSince: number;
  /** How long it had been idle before its present request, in ms. */
  wasIdleMs: number;
}

const KEPT = Symbol('express-hangup.kept');

interface KeptSocket extends Duplex {
  [KEPT]?: Kept | undefined;
  timeout?: number | undefined;
  setTimeout?(ms: number): unknown;
  setKeepAlive?(enable: boolean, initialDelay: number): unknown;
  unref?(): unknown;
}

function kept(socket: KeptSocket): Kept {
  return (socket[KEPT] ??= { hint: undefined, idleMs: IDLE_MS, idleSince: 0, wasIdleMs: 0 });
}

/** How long a reused socket had been idle before its present request, in ms; `undefined` for other agents' sockets. */
export function idleMsOf(socket: Duplex): number | undefined {
  return (socket as KeptSocket)[KEPT]?.wasIdleMs;
}

function announcesBody(request: ClientRequest): boolean {
  const length = request.getHeader('content-length');
  return request.hasHeader('transfer-encoding') || (length !== undefined && length !== '0');
}

function noteHint(this: ClientRequest, response: IncomingMessage): void {
  const hint = response.headers['keep-alive']?.toString();
  if (hint === undefined || !this.socket) return;
  const state = kept(this.socket);
  if (state.hint === hint) return;
  state.hint = hint;
  const seconds = /timeout=(\d+)/i.exec(hint)?.[1];
  state.idleMs = seconds === undefined ? IDLE_MS : Math.min(IDLE_MS, Number(seconds) * 1000 - HINT_MARGIN_MS);
}

/** Replaces Node's own `keepSocketAlive()`, which does the same with another limit. */
function keep(socket: KeptSocket): boolean {
  const state = kept(socket);
  if (state.idleMs <= 0) return false;
  socket.setKeepAlive?.(true, KEEP_ALIVE_MS);
  socket.unref?.();
  // The timeout stays on while the connection is in use, where it has no effect. So it need not be set each time.
  if (socket.timeout !== state.idleMs) socket.setTimeout?.(state.idleMs);
  state.idleSince = performance.now();
  return true;
}

function reuse(socket: Duplex): void {
  const state = kept(socket);
  state.wasIdleMs = performance.now() - state.idleSince;
}

/** Closes the idle connections to an upstream if the one that would be used next was idle for `FRESH_MS` or longer. */
function dropAged({ freeSockets }: HttpAgent, { host, port }: RequestOptions): void {
  for (const [name, sockets = []] of Object.entries(freeSockets)) {
    const newest = sockets.at(-1);
    if (newest === undefined || !name.startsWith(`${host ?? ''}:${port ?? ''}:`)) continue;
    if (performance.now() - kept(newest).idleSince < FRESH_MS) continue;
    for (const socket of sockets) socket.destroy();
  }
}

class KeepAliveHttpsAgent extends HttpsAgent {
  override keepSocketAlive(socket: Duplex): boolean {
    return keep(socket);
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    reuse(socket);
    super.reuseSocket(socket, request);
  }
}

/**
 * The agent of `hangupProxy()`. It keeps connections for both http and https targets (a `router` may choose either). It closes
 * idle ones before the upstream does: after 4 s, or a second before the upstream's own `Keep-Alive: timeout=`. A request that
 * cannot be repeated, such as a POST, gets a connection that was idle for less than a second.
 */
export class UpstreamAgent extends HttpAgent {
  private readonly tls = new KeepAliveHttpsAgent({ keepAlive: true });
  private readonly singleUse = { http: new HttpAgent(), https: new HttpsAgent() };

  /** @param maxHeaderSize - The longest head of a response, in bytes; `undefined` for Node's own limit. */
  constructor(private readonly maxHeaderSize?: number) {
    super({ keepAlive: true });
    // ClientRequest compares the agent's protocol with its own. An agent without one serves both.
    Object.assign(this, { protocol: undefined });
  }

  addRequest(request: ClientRequest, options: RequestOptions): void {
    const isTls = request.protocol === 'https:';
    if (this.maxHeaderSize !== undefined) Object.assign(request, { maxHeaderSize: this.maxHeaderSize });
    // A handshake cannot be repeated, so it gets a new connection that cannot be stale.
    if (request.hasHeader('upgrade')) {
      agentLike(isTls ? this.singleUse.https : this.singleUse.http).addRequest(request, options);
      return;
    }
    // This also covers the mirror's request (`forward`), for which no event is emitted.
    if (announcesBody(request)) {
      keepToLength(request);
      closeAfterBody(request);
    }
    request.prependListener('response', noteHint);
    if (!isReplayableMethod(request.method)) dropAged(isTls ? this.tls : this, options);
    if (isTls) {
      // `diagnose()` finds the pool, and in it the port, by this property.
      Object.assign(request, { agent: this.tls });
      agentLike(this.tls).addRequest(request, options);
    } else agentLike(HttpAgent.prototype).addRequest.call(this, request, options);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return keep(socket);
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
