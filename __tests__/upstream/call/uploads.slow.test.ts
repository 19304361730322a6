import { Readable } from 'node:stream';
import express from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import type { Upstream } from 'express-hangup/upstream';
import { gate, serve } from '../../fixtures/serve';
import { answers, client, scriptedUpstream, undicis } from '../scripted-upstream';

type Send = (users: Upstream, body: any, signal?: AbortSignal) => Promise<unknown>;

const kinds: [string, Send][] = [
  [
    'fetch()',
    (users, body, signal) => users.fetch(null, '/', { method: 'POST', body, signal: signal ?? null }),
  ],
  [
    'request()',
    (users, body, signal) => users.request(null, '/', { method: 'POST', body, signal: signal ?? null }),
  ],
];

const cases = undicis().flatMap(([version, undici]) =>
  kinds.map(([kind, send]) => [`${kind} on ${version}`, undici, send] as const),
);

const CHUNK = Buffer.alloc(1000, 'x');

/** Sources without an end, which count what is read of them and tell when they are closed. */
function endless(): { read: () => number; closed: Promise<void>; sources: [string, () => unknown][] } {
  let count = 0;
  const closed = gate();
  async function* generator(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        count += 1;
        yield CHUNK;
      }
    } finally {
      closed.open();
    }
  }
  const webStream = (): ReadableStream =>
    new ReadableStream({
      pull(controller) {
        count += 1;
        controller.enqueue(CHUNK);
      },
      cancel: () => closed.open(),
    });
  return {
    read: () => count,
    closed: closed.promise,
    sources: [
      ['an async generator that never waits', generator],
      ['a Node stream', () => Readable.from(generator())],
      ['a web stream', webStream],
    ],
  };
}

const SOURCES = endless().sources.map(([name], index) => [name, index] as const);

describe.each(cases)('an upload by %s', (_name, undici, send) => {
  describe.each(SOURCES)('from %s without an end', (_source, index) => {
    it('stops reading its source when it is aborted', async () => {
      const upstream = await scriptedUpstream(answers.silence);
      const { read, closed, sources } = endless();
      const controller = new AbortController();
      const call = send(client(undici, upstream.origin), sources[index]![1](), controller.signal);
      await upstream.arrived(1);
      controller.abort(new Error('enough'));
      await expect(call).rejects.toThrow('enough');
      await closed;
      const atTheEnd = read();
      await upstream.empty();
      // What one turn of the loop may still have had in hand.
      expect(read() - atTheEnd).toBeLessThanOrEqual(2);
    });

    it('tells its source when it never begins', async () => {
      const { read, closed, sources } = endless();
      const upstream = await scriptedUpstream(answers.silence);
      const call = send(client(undici, upstream.origin), sources[index]![1](), AbortSignal.abort('before'));
      await expect(call).rejects.toBe('before');
      // A generator that nobody has begun has nothing to close.
      if (index > 0) await Promise.race([closed, new Promise(setImmediate)]);
      expect(read()).toBeLessThanOrEqual(2);
      expect(upstream.opened).toBe(0);
    });
  });

  it('is never taken for whole when it is given up', async () => {
    let isComplete: boolean | undefined;
    const arrived = gate();
    const over = gate();
    const app = express();
    app.post('/', (req) => {
      req.once('data', () => arrived.open()).on('error', () => undefined);
      req.on('close', () => {
        isComplete = req.complete;
        over.open();
      });
    });
    const { url } = await serve(app);
    const controller = new AbortController();
    const source = (async function* () {
      yield CHUNK;
      await new Promise((resolve) => controller.signal.addEventListener('abort', resolve));
      yield CHUNK;
    })();
    const call = send(client(undici, url), source, controller.signal);
    await arrived.promise;
    controller.abort();
    await expect(call).rejects.toThrow();
    await over.promise;
    expect(isComplete).toBe(false);
  });

  it('refuses a stream that somebody else reads', async () => {
    const upstream = await scriptedUpstream(answers.ok);
    const stream = new Blob(['x']).stream();
    stream.getReader();
    await expect(send(client(undici, upstream.origin), stream)).rejects.toThrow(/locked/);
    expect(upstream.opened).toBe(0);
  });
});

describe.each(undicis())('a request that is passed on as a body, on %s', (_name, undici) => {
  async function gateway(
    kind: 'fetch' | 'request',
    origin: string,
    deadline: number | false = false,
  ): Promise<string> {
    const users = client(undici, origin);
    const app = express().set('env', 'test');
    app.use(hangup({ deadline }));
    app.post('/', async (req, res) => {
      if (kind === 'fetch')
        res.end(await (await users.fetch(req, '/', { method: 'POST', body: req })).text());
      else res.end(await (await users.request(req, '/', { method: 'POST', body: req })).body.text());
    });
    app.use(gatewayErrorHandler());
    return (await serve(app)).url;
  }

  /** An upload that goes on until it is answered. */
  async function upload(url: string): Promise<number> {
    const controller = new AbortController();
    const body = async function* (): AsyncGenerator<Buffer> {
      while (!controller.signal.aborted) {
        yield CHUNK;
        await new Promise(setImmediate);
      }
    };
    const init = { method: 'POST', body: body(), duplex: 'half', signal: controller.signal } as const;
    const { status } = await undici.fetch(url, init);
    controller.abort();
    return status;
  }

  describe.each(['fetch', 'request'] as const)('by %s()', (kind) => {
    it('can still be answered 504 when the deadline passes', async () => {
      const upstream = await scriptedUpstream(answers.silence);
      expect(await upload(await gateway(kind, upstream.origin, 150))).toBe(504);
    });

    it('can still be answered 502 when the upstream breaks', async () => {
      const app = express();
      app.post('/', (req) =>
        req.on('error', () => undefined).once('data', () => req.socket.resetAndDestroy()),
      );
      const { url } = await serve(app);
      expect(await upload(await gateway(kind, url))).toBe(502);
    });
  });
});
