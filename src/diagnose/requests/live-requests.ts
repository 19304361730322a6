import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { lifetimeOf } from '../../request/lifetime/lifetime-of';
import { routeOf } from '../../request/route/route';
import { whoClosed } from '../../request/lifetime/who-closed';
import { now } from '../clock';
import { knownMethod } from './known-method';
import { outcomeOf, type RequestOutcome } from './outcomes';
import type { RequestTickets } from './request-ticket';
import { ServedRequests, type ServedRequest } from './served-requests';
import type { LiveReport, LiveRequest } from '../report';
import { subscribeAll } from '../../subscribe-all';

/** How many requests a report shows. */
const MAX_SHOWN = 100;
/** At most so many requests are tracked one by one, so that the memory is bounded. */
const MAX_FOLLOWED = 10_000;
/** How many servers' timeouts are shown. */
const MAX_SERVERS = 8;

/** A request that is over. */
export interface EndedRequest {
  readonly req: IncomingMessage;
  readonly outcome: RequestOutcome;
  readonly at: number;
  readonly tookMs: number;
  /** What was left of its deadline; `Infinity` without one. */
  readonly leftMs: number;
}

/** What somebody wants to know of the requests that are served. */
export interface ServedEvents {
  onEnd: (ended: EndedRequest) => void;
  /** A client has left. Calls that the app aborts at this moment are aborted for that reason. */
  onDeparture: () => void;
}

/** What the server's messages hold. */
interface OfServer {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Connection;
  readonly server: Server;
}

type Connection = Socket & { [carried: symbol]: ServedRequest[] | undefined };

/** The requests that this process is serving, and how each ends: by its response, or with its connection. */
export class LiveRequests {
  /** The servers that have had a request, for their timeouts. */
  readonly servers = new Set<Server>();
  /** The shortest and the longest deadline of the requests so far. */
  readonly deadlines = { shortestMs: Infinity, longestMs: 0 };
  /** Requests that came while as many were in flight as are tracked: they are in no count. */
  untracked = 0;
  /** How many more servers have had a request. */
  otherServers = 0;
  private readonly others = new WeakSet<Server>();
  private readonly served = new ServedRequests();
  /** Where a connection keeps the requests that it carries. */
  private readonly carried = Symbol('express-hangup.carried');
  private readonly connections = new Set<Connection>();
  private readonly unsubscribe: () => void;
  private readonly onClose: (this: Socket) => void;
  private lastId = 0;

  constructor(
    private readonly events: ServedEvents,
    private readonly tickets: RequestTickets,
  ) {
    const closed = this.closed.bind(this);
    function onClose(this: Socket): void {
      closed(this as Connection);
    }
    this.onClose = onClose;
    this.unsubscribe = subscribeAll({
      'http.server.request.start': (message: OfServer) => this.started(message),
      'http.server.response.finish': ({ socket, response }: OfServer) => this.finished(socket, response),
    });
  }

  stop(): void {
    this.unsubscribe();
    for (const socket of this.connections) {
      socket.off('close', this.onClose);
      socket[this.carried] = undefined;
    }
    this.connections.clear();
    this.served.clear();
    this.servers.clear();
  }

  /** Leaves out a request for the page itself, so that the page does not show it. */
  ignore(res: ServerResponse): void {
    const request = this.find(res.socket as Connection | null, res);
    if (request) this.forget(request);
  }

  report(): LiveReport {
    return { count: this.served.size, requests: this.served.oldest(MAX_SHOWN).map(describe) };
  }

  private started({ request: req, response: res, socket, server }: OfServer): void {
    if (this.served.size >= MAX_FOLLOWED) {
      this.untracked++;
      return;
    }
    const request: ServedRequest = {
      id: ++this.lastId,
      req,
      res,
      onConnection: this.requestsOn(socket),
      arrivedAt: now(),
      ticket: undefined,
      before: undefined,
      after: undefined,
    };
    request.ticket = this.tickets.enter(request);
    this.served.add(request);
    if (this.servers.size < MAX_SERVERS) this.servers.add(server);
    else if (!this.servers.has(server)) this.noteOther(server);
  }

  private noteOther(server: Server): void {
    if (this.others.has(server)) return;
    this.others.add(server);
    this.otherServers++;
  }

  /** One listener for each connection and none for each request, because a connection has many requests. */
  private requestsOn(socket: Connection): ServedRequest[] {
    const known = socket[this.carried];
    if (known) return known;
    socket.on('close', this.onClose);
    this.connections.add(socket);
    return (socket[this.carried] = []);
  }

  private find(socket: Connection | null, res: ServerResponse): ServedRequest | undefined {
    return socket?.[this.carried]?.find((request) => request.res === res);
  }

  private finished(socket: Connection, res: ServerResponse): void {
    // On Node 20 and 22 a response "finishes" on a dead connection too; that one ends with the connection.
    if (socket.destroyed) return;
    const request = this.find(socket, res);
    if (request) this.ended(request, outcomeOf(res.statusCode));
  }

  private closed(socket: Connection): void {
    this.connections.delete(socket);
    // Each leaves the list when it has ended.
    for (const request of [...(socket[this.carried] ?? [])]) {
      const outcome = outcomeOfCut(request);
      if (outcome === 'clientClosed') this.events.onDeparture();
      this.ended(request, outcome);
    }
  }

  private ended(request: ServedRequest, outcome: RequestOutcome): void {
    this.forget(request);
    const { req, arrivedAt } = request;
    const at = now();
    const tookMs = at - arrivedAt;
    const timeoutMs = lifetimeOf(req)?.timeoutMs ?? Infinity;
    if (timeoutMs !== Infinity) {
      const { deadlines } = this;
      if (timeoutMs < deadlines.shortestMs) deadlines.shortestMs = timeoutMs;
      if (timeoutMs > deadlines.longestMs) deadlines.longestMs = timeoutMs;
    }
    const leftMs = Math.max(0, timeoutMs - tookMs);
    this.events.onEnd({ req, outcome, at, tookMs, leftMs });
  }

  private forget(request: ServedRequest): void {
    if (request.ticket) request.ticket.served = undefined;
    this.served.remove(request);
  }
}

/** A response that was not complete when its connection closed. */
function outcomeOfCut({ req, res }: ServedRequest): RequestOutcome {
  const code = lifetimeOf(req)?.reason?.code ?? whoClosed(req, res).code;
  return code === 'CLIENT_CLOSED_REQUEST' ? 'clientClosed' : 'broken';
}

function describe({ id, req, res, arrivedAt }: ServedRequest): LiveRequest {
  const lifetime = lifetimeOf(req);
  return {
    id,
    method: knownMethod(req.method),
    route: routeOf(req),
    ageMs: Math.round(now() - arrivedAt),
    deadlineMs: finite(lifetime?.timeoutMs),
    remainingMs: finite(lifetime?.remaining()),
    isAnswering: res.headersSent,
  };
}

/** JSON has no Infinity. */
function finite(ms: number | undefined): number | null {
  return ms === undefined || ms === Infinity ? null : Math.round(ms);
}
