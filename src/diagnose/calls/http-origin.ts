import type { Agent, ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

interface Request extends ClientRequest {
  readonly agent?: Agent;
  readonly socketPath?: string;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** Where else a request's port may be known from. */
export interface PortHints {
  /** The port of an attempt to connect. */
  readonly attempted?: number | undefined;
  /** The error with which it failed. */
  readonly error?: unknown;
}

/**
 * The origin that a request of node:http goes to. `ClientRequest` keeps scheme and host but forgets the port, and its
 * Host header may be somebody else's (a proxy hands its own client's on): the port is read from the pool's key, else
 * from the connection. `undefined` where it is not known yet.
 */
export function httpOrigin(request: ClientRequest, hints: PortHints = {}): string | undefined {
  const { protocol, host, socketPath } = request as Request;
  const hostname = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  // The path of a Unix socket is a path.
  if (socketPath !== undefined && socketPath !== '') return `${protocol.replace(':', '+unix:')}//${hostname}`;
  const port = portInPool(request, hints) ?? portOfConnection(request.socket, hints);
  if (port === undefined) return undefined;
  return port === DEFAULT_PORTS[protocol] ? `${protocol}//${hostname}` : `${protocol}//${hostname}:${port}`;
}

/**
 * The pools' keys begin with host and port: https://nodejs.org/api/http.html#agentgetnameoptions. Without TLS and options
 * of its own nothing follows; then the key that a port would have is asked for.
 */
function portInPool(request: Request, hints: PortHints): string | undefined {
  const { agent, host, socket } = request;
  if (!agent) return undefined;
  const likely = [portOfHeader(request), portOfConnection(socket, hints), DEFAULT_PORTS['http:']];
  // A request that waits for a socket has none.
  const found = socket && likely.find((port) => agent.sockets[`${host}:${port}:`]?.includes(socket) === true);
  return found ?? (isSearchable(agent) ? searchPools(agent, request) : undefined);
}

/** The Host header may be somebody else's: what it says has to be proved. */
function portOfHeader(request: ClientRequest): string | undefined {
  const header = request.getHeader('host');
  return typeof header === 'string' ? /:(\d{1,5})$/.exec(header)?.[1] : undefined;
}

/** An app that calls whatever its clients name has pools of thousands of hosts: those are not searched for each call. */
const MAX_SEARCHED = 500;

function isSearchable(agent: Agent): boolean {
  return ((agent as { totalSocketCount?: number }).totalSocketCount ?? 0) <= MAX_SEARCHED;
}

function searchPools(
  { sockets, requests, freeSockets }: Agent,
  { host, socket }: Request,
): string | undefined {
  const pools: readonly Readonly<Record<string, readonly unknown[] | undefined>>[] = [
    sockets,
    requests,
    freeSockets,
  ];
  const ofHost = pools
    .flatMap((pool) => Object.entries(pool))
    .filter(([key]) => key.startsWith(`${host}:`))
    .map(([key, members]) => [/^\d+/.exec(key.slice(host.length + 1))?.[0], members] as const);
  const isAlone = new Set(ofHost.map(([port]) => port)).size === 1;
  const mine = isAlone ? ofHost[0] : ofHost.find(([, members]) => members?.includes(socket));
  return mine?.[0];
}

function portOfConnection(socket: Socket | null, { attempted, error }: PortHints): string | undefined {
  const failed = typeof error === 'object' && error !== null && 'port' in error ? error.port : undefined;
  const port = socket?.remotePort ?? attempted ?? failed;
  return typeof port === 'number' ? String(port) : undefined;
}
