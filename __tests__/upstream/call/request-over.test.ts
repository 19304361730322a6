import { getEventListeners, getMaxListeners, once } from 'node:events';
import net from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import express, { type Request } from 'express';
import { gatewayErrorHandler, hangup, type HangupOptions } from 'express-hangup';
import type { Upstream, UpstreamRequestInit } from 'express-hangup/upstream';
import { lifetimeOf } from '../../../src/request/lifetime/lifetime-of';
import { collect } from '../../fixtures/events';
import { RawClient } from '../../fixtures/raw-client';
import { gate, listen, serve } from '../../fixtures/serve';
import { answers, client, scriptedUpstream, undicis } from '../scripted-upstream';

interface Outcome {
  error?: any;
  text?: string;
}

/** An app whose one route reads `/` from the upstream, body and all, and tells what came of it. */
async function app(
  users: Upstream,
  {
    init,
    options = { deadline: false },
  }: { init?: UpstreamRequestInit; options?: HangupOptions | false } = {},
): Promise<{ port: number; outcome: Promise<Outcome>; started: Promise<Request> }> {
  const outcome = gate<Outcome>();
  const started = gate<Request>();
  const server = express().set('env', 'test');
  if (options !== false) server.use(hangup(options));
  server.all('/', async (req, res) => {
    started.open(req);
    try {
      const response = await users.fetch(req, '/', init);
      const text = await response.text();
      outcome.open({ text });
      res.end(text);
    } catch (error) {
      outcome.open({ error });
      throw error;
    }
  });
  server.use(gatewayErrorHandler());
  const { port } = await serve(server);
  return { port, outcome: outcome.promise, started: started.promise };
}

const GONE = { code: 'CLIENT_CLOSED_REQUEST', status: 499 };

describe.each(undicis())('a call whose request is over, on %s', (_name, undici) => {
  describe.each(['fin', 'rst'] as const)('because the client has left by %s', (how) => {
    it('rejects with the reason while it waits for headers, and closes the socket', async () => {
      const upstream = await scriptedUpstream(answers.silence);
      const { port, outcome, started } = await app(client(undici, upstream.origin));
      const visitor = (await RawClient.connect(port)).request('/');
      await upstream.arrived(1);
      visitor.leave(how);
      const { error } = await outcome;
      expect(error).toMatchObject(GONE);
      expect(error).toBe(lifetimeOf(await started)!.reason);
      await upstream.empty();
      expect(upstream.hits).toHaveLength(1);
    });

    it('rejects the reading of the body with the reason, and closes the socket', async () => {
      const upstream = await scriptedUpstream((_req, res) => res.write('first'));
      const { port, outcome } = await app(client(undici, upstream.origin));
      const visitor = (await RawClient.connect(port)).request('/');
      await upstream.arrived(1);
      await new Promise(setImmediate);
      visitor.leave(how);
      expect((await outcome).error).toMatchObject(GONE);
      await upstream.empty();
    });

    it('rejects with the reason while it waits for its next try, which never comes', async () => {
      const retries = collect('retry');
      const upstream = await scriptedUpstream((_req, res) =>
        res.writeHead(503, { 'Retry-After': '20' }).end(),
      );
      const { port, outcome } = await app(client(undici, upstream.origin));
      const visitor = (await RawClient.connect(port)).request('/');
      await retries.next();
      visitor.leave(how);
      expect((await outcome).error).toMatchObject(GONE);
      expect(upstream.hits).toHaveLength(1);
    });

    it('rejects with the reason while it waits for a connection to be free, and is never sent', async () => {
      const answer = gate<() => void>();
      const upstream = await scriptedUpstream((req, res, n) => {
        if (n === 1) answer.open(() => res.end());
        else answers.ok(req, res);
      });
      const users = client(undici, upstream.origin, { connections: 1 });
      const first = users.fetch(null, '/first');
      const release = await answer.promise;
      const { port, outcome, started } = await app(users);
      const visitor = (await RawClient.connect(port)).request('/');
      await started;
      visitor.leave(how);
      expect((await outcome).error).toMatchObject(GONE);
      const next = users.fetch(null, '/next');
      release();
      await (await first).text();
      expect(await (await next).text()).toBe('ok');
      expect(upstream.hits.map(({ url }) => url)).toEqual(['/first', '/next']);
      // undici would take it from the queue to the socket, and close that because nobody wants its answer.
      expect(upstream.opened).toBe(1);
    });

    it('rejects with the reason while it connects, and closes the socket', async () => {
      const accepted = gate<net.Socket>();
      const { port: upstreamPort } = await listen(
        net.createServer((socket) => accepted.open(socket)) as never,
      );
      // The upstream accepts the connection and then says nothing to the TLS handshake.
      const { port, outcome } = await app(client(undici, `https://127.0.0.1:${upstreamPort}`));
      const visitor = (await RawClient.connect(port)).request('/');
      const socket = await accepted.promise;
      socket.on('error', () => undefined).resume();
      visitor.leave(how);
      expect((await outcome).error).toMatchObject(GONE);
      if (!socket.closed) await once(socket, 'close');
    });
  });

  it('rejects with the deadline, and the app answers 504', async () => {
    const upstream = await scriptedUpstream(answers.silence);
    const { port, outcome } = await app(client(undici, upstream.origin), { options: { deadline: 50 } });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.status).toBe(504);
    expect(await response.text()).not.toContain(upstream.origin);
    expect((await outcome).error).toMatchObject({ code: 'DEADLINE_EXCEEDED', timeout: 50 });
    await upstream.empty();
  });

  it('never starts when the request is over already', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const users = client(undici, upstream.origin);
    const outcome = gate<any>();
    const server = express().set('env', 'test');
    server.use(hangup());
    server.get('/', async (req) => {
      if (!req.signal.aborted) await once(req.signal, 'abort');
      outcome.open(await users.fetch(req, '/').catch((error: unknown) => error));
    });
    const { port } = await serve(server);
    const visitor = (await RawClient.connect(port)).request('/');
    await new Promise(setImmediate);
    visitor.leave('fin');
    expect(await outcome.promise).toMatchObject(GONE);
    expect(upstream.opened).toBe(0);
  });

  it('never starts when the time is spent, also before the timer has said so', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const users = client(undici, upstream.origin);
    const server = express().set('env', 'test');
    server.use(hangup({ deadline: 30, grace: 1000 }));
    server.get('/', (req, res) => {
      const until = performance.now() + 40;
      while (performance.now() < until);
      users.fetch(req, '/').catch((error: unknown) => res.json({ error }));
    });
    const { port } = await serve(server);
    // With a socket at hand the request would be out before the event loop comes to its timers.
    await (await users.fetch(null, '/warm')).text();
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).json()).toMatchObject({
      error: { code: 'DEADLINE_EXCEEDED', timeout: 30 },
    });
    expect(upstream.hits.map(({ url }) => url)).toEqual(['/warm']);
  });

  it('stops for a client that has left also where no hangup() is mounted', async () => {
    const upstream = await scriptedUpstream(answers.silence);
    const { port, outcome } = await app(client(undici, upstream.origin), { options: false });
    const visitor = (await RawClient.connect(port)).request('/');
    await upstream.arrived(1);
    visitor.leave('fin');
    expect((await outcome).error).toMatchObject(GONE);
    await upstream.empty();
  });

  it('goes on when the response has been sent meanwhile', async () => {
    const answer = gate<() => void>();
    const upstream = await scriptedUpstream((_req, res) => answer.open(() => res.end('audited')));
    const users = client(undici, upstream.origin);
    const audit = gate<string>();
    const server = express();
    server.use(hangup());
    server.get('/', (req, res) => {
      void users
        .fetch(req, '/', { method: 'POST' })
        .then(async (response) => audit.open(await response.text()));
      res.end('done');
    });
    const { port } = await serve(server);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('done');
    (await answer.promise)();
    expect(await audit.promise).toBe('audited');
  });
});

describe.each(undicis())("a call with a signal of the caller's, on %s", (_name, undici) => {
  it.each<[string, unknown]>([
    ['the default reason', undefined],
    ['an error', new Error('enough')],
    ['a string', 'enough'],
    ['nothing that could be told from no reason', null],
  ])('rejects with %s', async (_what, reason) => {
    const upstream = await scriptedUpstream(answers.silence);
    const controller = new AbortController();
    const call = client(undici, upstream.origin).fetch(null, '/', { signal: controller.signal });
    await upstream.arrived(1);
    controller.abort(reason);
    const thrown: unknown = await call.then(
      () => 'fulfilled',
      (error: unknown) => error,
    );
    expect(thrown).toBe(controller.signal.reason);
    await upstream.empty();
  });

  it('closes the socket of a call that is given up, and opens none in its place', async () => {
    const upstream = await scriptedUpstream((req, res) => {
      if (req.url === '/body') res.write('first');
    });
    const users = client(undici, upstream.origin);
    const controller = new AbortController();
    const silent = users.fetch(null, '/silent', { signal: controller.signal }).catch(() => undefined);
    const streaming = await users.fetch(null, '/body', { signal: controller.signal });
    const cancelled = await users.fetch(null, '/body');
    await upstream.arrived(3);
    controller.abort();
    await cancelled.body!.cancel();
    await silent;
    await expect(streaming.text()).rejects.toThrow();
    await users.close();
    await upstream.empty();
    expect(upstream.opened).toBe(3);
  });

  it('does not take a reason for something that the upstream has done', async () => {
    const upstream = await scriptedUpstream(answers.silence);
    const users = client(undici, upstream.origin);
    const controller = new AbortController();
    const call = users.fetch(null, '/', { signal: controller.signal });
    await upstream.arrived(1);
    controller.abort(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    await expect(call).rejects.toThrow('read ECONNRESET');
    expect(users.stats()).toMatchObject({ retries: 0, resets: { first: 0, reused: 0 } });
    expect(upstream.hits).toHaveLength(1);
  });

  it('never starts with one that has aborted', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const call = client(undici, upstream.origin).fetch(null, '/', { signal: AbortSignal.abort('before') });
    await expect(call).rejects.toBe('before');
    expect(upstream.opened).toBe(0);
  });

  it('stops for whichever comes first, the signal or the request', async () => {
    const upstream = await scriptedUpstream(answers.silence);
    const controller = new AbortController();
    const users = client(undici, upstream.origin);
    const bySignal = await app(users, { init: { signal: controller.signal } });
    const response = fetch(`http://127.0.0.1:${bySignal.port}/`);
    await upstream.arrived(1);
    controller.abort(new Error('the signal'));
    expect((await bySignal.outcome).error).toMatchObject({ message: 'the signal' });
    await response;

    const byRequest = await app(users, { init: { signal: new AbortController().signal } });
    const visitor = (await RawClient.connect(byRequest.port)).request('/');
    await upstream.arrived(2);
    visitor.leave('fin');
    expect((await byRequest.outcome).error).toMatchObject(GONE);
  });

  it('leaves nothing on the signal or on the request once the response has come', async () => {
    const upstream = await scriptedUpstream((req, res, n) => {
      if (n % 3 === 0) answers.reset(req);
      else if (n % 3 === 1) answers[404](req, res);
      else answers.ok(req, res);
    });
    const users = client(undici, upstream.origin);
    const { signal } = new AbortController();
    const server = express();
    server.use(hangup());
    server.get('/', async (req, res) => {
      for (let call = 0; call < 20; call++) await (await users.fetch(req, '/', { signal })).text();
      res.json({ onRequest: listenersOf(req), onSignal: getEventListeners(signal, 'abort').length });
    });
    const { port } = await serve(server);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).json()).toEqual({ onRequest: 0, onSignal: 0 });
  });

  it('can be the signal of many calls at a time, without a warning of a leak', async () => {
    const { origin } = await scriptedUpstream(answers.ok);
    const { signal } = new AbortController();
    await client(undici, origin).fetch(null, '/', { signal });
    // 0 is no limit, Node 22's default for signals; Node 20 warns at the eleventh listener.
    expect([0, 1500]).toContain(getMaxListeners(signal));
  });

  it('listens until the body has come, and no longer', async () => {
    let finish!: () => void;
    const upstream = await scriptedUpstream((_req, res) => {
      res.write('first');
      finish = () => res.end('last');
    });
    const { signal } = new AbortController();
    const response = await client(undici, upstream.origin).fetch(null, '/', { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    finish();
    await response.text();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('ends the reading of a body also after a garbage collection', async () => {
    const upstream = await scriptedUpstream((_req, res) => res.write('first'));
    const controller = new AbortController();
    const response = await client(undici, upstream.origin).fetch(null, '/', { signal: controller.signal });
    const body = response.text();
    collectGarbage();
    await new Promise(setImmediate);
    collectGarbage();
    controller.abort('stop');
    await expect(body).rejects.toBe('stop');
    await upstream.empty();
  });
});

/** How many listeners wait for the abort of a request: there is no public way to ask. */
function listenersOf(req: Request): number {
  const lifetime = lifetimeOf(req) as unknown as { abortListeners?: Set<unknown> };
  return lifetime.abortListeners?.size ?? 0;
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
