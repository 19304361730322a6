/* eslint-disable @typescript-eslint/no-require-imports -- undici 8 can only be loaded where it runs */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Upstream, UpstreamOptions } from 'express-hangup/upstream';
import { createUpstream } from '../../src/upstream/create-upstream';
import type { Undici } from '../../src/upstream/load-undici';
import { listen } from '../fixtures/serve';

/** A request as it has arrived, before it is answered. */
export interface Hit {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
  /** Which of the upstream's connections it came on, from 0. */
  socket: number;
}

/** How the upstream of a test behaves: `n` counts the requests from 1. */
export type Script = (req: IncomingMessage, res: ServerResponse, n: number, hit: Hit) => void;

export interface ScriptedUpstream {
  origin: string;
  server: http.Server;
  hits: Hit[];
  /** Connections that are open. */
  open: Set<Socket>;
  /** Connections so far. */
  opened: number;
  /** Resolves when `count` requests have come in all. */
  arrived: (count: number) => Promise<void>;
  /** Resolves when no connection is open any more. */
  empty: () => Promise<void>;
}

/**
 * A real upstream that does what the test says. It keeps its sockets for a minute, unless told otherwise. It is Node's own
 * server and not `faultyUpstream()`, because scripts act on Node's request and response: early hints, trailers, reading an
 * upload slowly, a socket that is destroyed amid it. Users break an upstream by a fault's name.
 */
export async function scriptedUpstream(script: Script): Promise<ScriptedUpstream> {
  const numbers = new Map<Socket, number>();
  const waiting = new Set<() => void>();
  const wake = (): void => waiting.forEach((look) => look());
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });

  const server = http.createServer((req, res) => {
    const hit: Hit = {
      method: req.method!,
      url: req.url!,
      headers: req.headers,
      body: '',
      socket: numbers.get(req.socket)!,
    };
    const n = self.hits.push(hit);
    wake();
    req.on('error', () => undefined);
    if (req.headers['content-length'] === undefined && req.headers['transfer-encoding'] === undefined) {
      script(req, res, n, hit);
      return;
    }
    text(req).then(
      (body) => {
        hit.body = body;
        script(req, res, n, hit);
      },
      () => undefined,
    );
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket: Socket) => {
    numbers.set(socket, self.opened++);
    self.open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      self.open.delete(socket);
      wake();
    });
  });
  const self: ScriptedUpstream = {
    origin: '',
    server,
    hits: [],
    open: new Set(),
    opened: 0,
    arrived: (count) => until(() => self.hits.length >= count),
    empty: () => until(() => self.open.size === 0),
  };
  self.origin = (await listen(server)).url;
  return self;
}

/** Answers of a script, by what they are called in tables. */
export const answers = {
  ok: (_req, res) => res.end('ok'),
  reset: (req) => req.socket.resetAndDestroy(),
  fin: (req) => req.socket.destroy(),
  silence: () => undefined,
  502: (_req, res) => res.writeHead(502).end('bad gateway'),
  503: (_req, res) => res.writeHead(503).end('unavailable'),
  504: (_req, res) => res.writeHead(504).end('timeout'),
  500: (_req, res) => res.writeHead(500).end('broken'),
  429: (_req, res) => res.writeHead(429).end('too many'),
  404: (_req, res) => res.writeHead(404).end('nothing'),
  garbage: (req) => req.socket.end('HELO smtp.example\r\n\r\n'),
} satisfies Record<string, Script>;

const clients: Upstream[] = [];

/** As `upstream()`, with one of the undicis, until the test is over. */
export function client(
  undici: Undici,
  origin: string | readonly string[],
  options: UpstreamOptions = {},
): Upstream {
  const made = createUpstream(undici, origin, options);
  clients.push(made);
  return made;
}

afterEach(async () => {
  // Not awaited: close() waits for what is under way, which only the end of the upstream may end.
  for (const made of clients.splice(0)) void made.close();
});

/** The undicis that run on this Node, for `describe.each`. */
export function undicis(): [name: string, undici: Undici][] {
  const versions: [string, Undici][] = [['undici 7', require('undici') as Undici]];
  if (runsUndici8) versions.push(['undici 8', require('undici8') as Undici]);
  return versions;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
export const runsUndici8 = major > 22 || (major === 22 && minor >= 19);
