import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { HangupError } from '../errors';
import { isWithinBudget, OUTBOUND_BUDGET_HEADER } from '../request/budget';
import { currentContext } from '../request/context';
import { CallScope, type FollowedCall } from './call-scope';
import { budgetMs } from './outbound-budget';
import { subscribeAll } from '../subscribe-all';

/** What is not in the types: Node's way from a request to its response, and what agents call. */
type Followed = ClientRequest & {
  res?: IncomingMessage | null;
  agent?: Agent | null;
  onSocket(socket: Socket | null | undefined, error?: Error): void;
};

/**
 * Follows the calls of node:http and node:https, and of all libraries built on them. Gives the function that stops
 * this. Node 22 and later publish a request before its head is sent (`created`). Node 20 publishes it when it has
 * been written (`start`): a request that waits for a socket is not seen there, and no header can be added.
 */
export function followHttp(): () => void {
  const seen = new WeakSet<ClientRequest>();
  return subscribeAll({
    'http.client.request.created': ({ request }: { request: Followed }) => {
      seen.add(request);
      follow(request);
    },
    'http.client.request.start': ({ request }: { request: Followed }) => {
      if (!seen.has(request)) follow(request);
    },
  });
}

function follow(request: Followed): void {
  const scope = currentContext();
  if (!(scope instanceof CallScope) || isConnection(request)) return;
  const { ends, tellsBudget } = scope.rules.of(request.method, () => originOf(request));
  if (tellsBudget && !request.headersSent) tellBudget(request, scope.lifetime.remaining());
  if (!ends) return;
  const call = new HttpCall(request);
  request.once('close', () => scope.delete(call));
  scope.add(call);
}

/** A tunnel or a WebSocket is no call: others may use it when this request is over. */
function isConnection(request: ClientRequest): boolean {
  return request.method === 'CONNECT' || request.getHeader('upgrade') !== undefined;
}

function originOf(request: ClientRequest): string {
  const host = request.getHeader('host');
  return `${request.protocol}//${typeof host === 'string' ? host : request.host}`;
}

function tellBudget(request: ClientRequest, remainingMs: number): void {
  const ms = budgetMs(remainingMs);
  if (ms === undefined || isWithinBudget(request.getHeader(OUTBOUND_BUDGET_HEADER), ms)) return;
  request.setHeader(OUTBOUND_BUDGET_HEADER, String(ms));
}

class HttpCall implements FollowedCall {
  constructor(private readonly request: Followed) {}

  end(reason: HangupError): void {
    const { request } = this;
    if (request.destroyed) return;
    // An error event without a listener would end the process. The request emits its socket's error even after the
    // answer has begun.
    if (request.listenerCount('error') === 0) request.on('error', () => undefined);
    if (request.res) {
      // After `request.destroy(reason)` the reader of the body would get an ECONNRESET.
      request.res.destroy(reason);
      return;
    }
    request.destroy(reason);
    if (!request.socket) process.nextTick(failWithoutSocket, request, reason);
  }
}

/**
 * Node ends a destroyed request only when the request gets its socket. A request that waits in an agent's queue
 * (`maxSockets`), or for an agent that connects in its own way, would still wait.
 */
function failWithoutSocket(request: Followed, reason: HangupError): void {
  if (request.closed || request.socket) return;
  request.onSocket(null, reason);
  request.onSocket = giveBack;
}

/** The request has ended before it got its socket. The socket goes to the next request in the queue. */
function giveBack(this: Followed, socket: Socket | null | undefined): void {
  if (!socket || socket.destroyed) return;
  // In a tick of its own, as Node does: the agent has not finished with the socket.
  process.nextTick(() => {
    if (this.agent) socket.emit('free');
    else socket.destroy();
  });
}
