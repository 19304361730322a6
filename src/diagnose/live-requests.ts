import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { lifetimeOf } from '../request/lifetime';
import { routeOf } from '../request/route';
import { whoClosed } from '../request/who-closed';
import { now } from './clock';
import { outcomeOf, type Outcome } from './outcomes';
import type { LiveReport, LiveRequest } from './report';
import { subscribeAll } from './subscribe-all';

/** How many requests a report shows. */
const MAX_SHOWN = 100;
/** More than this are not followed one by one: the process has other troubles then. */
const MAX_FOLLOWED = 10_000;
/** How many servers' timeouts are shown. */
const MAX_SERVERS = 8;

interface Exchange {
  readonly id: number;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly arrivedAt: number;
}

/** What the server's messages hold. */
interface OfServer {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly server: Server;
}

/** The requests that this process is serving, and how each ends. */
export class LiveRequests {
  /** The servers that have had a request, for their timeouts. */
  readonly servers = new Set<Server>();
  /** The shortest and the longest deadline of the requests so far. */
  readonly deadlines = { shortestMs: Infinity, longestMs: 0 };
  private readonly exchanges = new Map<ServerResponse, Exchange>();
  private readonly unsubscribe: () => void;
  private readonly onClose: (this: ServerResponse) => void;
  private lastId = 0;

  constructor(private readonly onOutcome: (outcome: Outcome) => void) {
    const ended = this.ended.bind(this);
    this.onClose = function (this: ServerResponse): void {
      ended(this);
    };
    this.unsubscribe = subscribeAll({
      'http.server.request.start': (message: OfServer) => this.started(message),
    });
  }

  stop(): void {
    this.unsubscribe();
    for (const res of this.exchanges.keys()) res.off('close', this.onClose);
    this.exchanges.clear();
    this.servers.clear();
  }

  /** Leaves out a request of our own: who looks at the page must not find himself in it. */
  ignore(res: ServerResponse): void {
    res.off('close', this.onClose);
    this.exchanges.delete(res);
  }

  report(): LiveReport {
    this.dropDead();
    const oldest = [...this.exchanges.values()].slice(0, MAX_SHOWN);
    return { count: this.exchanges.size, requests: oldest.map(describe) };
  }

  private started({ request: req, response: res, server }: OfServer): void {
    if (this.exchanges.size >= MAX_FOLLOWED) return;
    res.on('close', this.onClose);
    this.exchanges.set(res, { id: ++this.lastId, req, res, arrivedAt: now() });
    if (this.servers.size < MAX_SERVERS) this.servers.add(server);
  }

  private ended(res: ServerResponse): void {
    const exchange = this.exchanges.get(res);
    if (!exchange) return;
    this.exchanges.delete(res);
    const { req } = exchange;
    const timeoutMs = lifetimeOf(req)?.timeoutMs ?? Infinity;
    if (timeoutMs !== Infinity) {
      this.deadlines.shortestMs = Math.min(this.deadlines.shortestMs, timeoutMs);
      this.deadlines.longestMs = Math.max(this.deadlines.longestMs, timeoutMs);
    }
    this.onOutcome(outcomeFor(req, res));
  }

  /** On Node 20 the second of two pipelined responses never says that it has closed. */
  private dropDead(): void {
    for (const { req, res } of this.exchanges.values()) if (req.socket.destroyed) this.ended(res);
  }
}

function outcomeFor(req: IncomingMessage, res: ServerResponse): Outcome {
  const reason = lifetimeOf(req)?.reason?.code;
  if (reason === 'CLIENT_CLOSED_REQUEST') return 'clientClosed';
  // On Node 20 and 22 a response that had ended but was not flushed counts as finished on a dead connection too.
  if (res.writableFinished && !req.socket.destroyed) return outcomeOf(res.statusCode);
  if (reason !== undefined) return 'broken';
  return whoClosed(req, res).code === 'CLIENT_CLOSED_REQUEST' ? 'clientClosed' : 'broken';
}

function describe({ id, req, res, arrivedAt }: Exchange): LiveRequest {
  const lifetime = lifetimeOf(req);
  return {
    id,
    method: req.method ?? '',
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
