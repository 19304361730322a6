import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { drainable, hangup } from 'express-hangup';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, listen } from '../fixtures/serve';

const PATHS = ['/a', '/b', '/c'];

describe.each(expressVersions)('the async context on %s', (_version, express) => {
  const storage = new AsyncLocalStorage<string>();
  /** By path: whose context the signal's listener and the error handler ran in. */
  const seen = new Map<string, { listener?: string | undefined; errorHandler?: string | undefined }>();
  beforeEach(() => seen.clear());

  const waits: RequestHandler = (req) => {
    seen.set(req.path, {});
    req.signal.addEventListener('abort', () => (seen.get(req.path)!.listener = storage.getStore()));
  };
  const answers: ErrorRequestHandler = (_error, req, res, _next) => {
    seen.get(req.path)!.errorHandler = storage.getStore();
    res.status(504).end();
  };

  async function serve(deadline: number): Promise<{ port: number; drain: () => Promise<unknown> }> {
    const app = express();
    app.use(hangup({ deadline, grace: 10 }), waits, answers);
    // As a tracer does: the context is entered before any middleware.
    const server = http.createServer((req, res) => storage.run(req.url!, () => app(req, res)));
    const handle = drainable(server, { signals: [], delay: 0, timeout: 0 });
    return { ...(await listen(server)), drain: () => handle.drain() };
  }

  async function clients(port: number): Promise<RawClient[]> {
    const connected = await Promise.all(PATHS.map(() => RawClient.connect(port)));
    return connected.map((client, index) => client.request(PATHS[index]!));
  }

  const own = PATHS.map((path) => [path, { listener: path, errorHandler: path }]);

  it('is the own one of each request whose deadline passes', async () => {
    const { port } = await serve(60);
    const all = await clients(port);
    await Promise.all(all.map((client) => client.response()));
    for (const client of all) client.leave('fin');
    expect([...seen].sort()).toEqual(own);
  });

  it('is the own one of each request that a drain ends', async () => {
    const { port, drain } = await serve(60_000);
    const all = await clients(port);
    while (seen.size < PATHS.length) await new Promise(setImmediate);
    await Promise.all([drain(), ...all.map((client) => client.response())]);
    expect([...seen].sort()).toEqual(own);
  });

  it('is the own one of a request whose client leaves', async () => {
    const { port } = await serve(60_000);
    const all = await clients(port);
    while (seen.size < PATHS.length) await new Promise(setImmediate);
    const settled = collect('settle');
    for (const client of all) client.leave('rst');
    for (let left = all.length; left > 0; left--) await settled.next();
    expect([...seen].sort()).toEqual(PATHS.map((path) => [path, { listener: path }]));
  });
});
