import { once } from 'node:events';
import fc from 'fast-check';
import type { Request, Response } from 'express';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, serve } from '../fixtures/serve';

/** One request's script. Times are in ms from its arrival and close together, so that everything meets everything. */
interface Script {
  id: number;
  body: 'none' | 'read' | 'unread' | 'half';
  handler: 'answer' | 'fail' | 'throw' | 'stream' | 'stream then fail' | 'silent';
  at: number;
  until: number;
  listens: boolean;
  late: 'nothing' | 'json' | 'write' | 'next(err)' | 'destroy';
  lateAt: number;
  deadline: number;
  toFinish: boolean;
  leaves: 'never' | 'fin' | 'rst' | 'half-close';
  leavesAt: number;
}

const time = fc.integer({ min: 0, max: 40 });

const script = fc.record<Omit<Script, 'id'>>({
  body: fc.constantFrom('none', 'read', 'unread', 'half'),
  handler: fc.constantFrom('answer', 'fail', 'throw', 'stream', 'stream then fail', 'silent'),
  at: time,
  until: time,
  listens: fc.boolean(),
  late: fc.constantFrom('nothing', 'json', 'write', 'next(err)', 'destroy'),
  lateAt: fc.integer({ min: 0, max: 80 }),
  deadline: fc.integer({ min: 1, max: 40 }),
  toFinish: fc.boolean(),
  leaves: fc.constantFrom('never', 'never', 'fin', 'rst', 'half-close'),
  leavesAt: time,
});

const reset = (): Error =>
  Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });

/** What a client may see: one whole answer, a visibly broken one, or, having left or sent half a body, nothing. */
interface Seen {
  status?: number;
  body?: string;
  complete?: boolean;
  nothing?: string;
}

describe.each(expressVersions)('random interleavings on %s', (_name, express) => {
  it('end in exactly one outcome each, crash nothing and leave nothing behind', async () => {
    const scripts = new Map<number, Script>();
    const aborts = new Map<number, number>();
    const settled = collect('settle');
    const crashes: unknown[] = [];
    const onCrash = (error: unknown): number => crashes.push(error);
    process.on('uncaughtException', onCrash).on('unhandledRejection', onCrash);

    const scriptOf = (req: Request): Script => scripts.get(Number(req.query['id']))!;
    const app = express();
    app.set('env', 'test');
    app.use(hangup({ deadline: 5000, grace: 5 }));
    app.use((req, res, next) => {
      if (scriptOf(req).body === 'read' || scriptOf(req).body === 'half') express.json()(req, res, next);
      else next();
    });
    app.use((req, res, next) => {
      const { deadline: ms, toFinish } = scriptOf(req);
      void deadline(ms, { until: toFinish ? 'finish' : 'start' })(req, res, next);
    });
    app.use((req, res, next) => {
      perform(scriptOf(req), req, res, next, () =>
        aborts.set(scriptOf(req).id, (aborts.get(scriptOf(req).id) ?? 0) + 1),
      );
    });
    app.use(gatewayErrorHandler());
    const { port, server } = await serve(app);

    let id = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(script, { minLength: 10, maxLength: 30 }), async (batch) => {
        const before = settled.all.length;
        const all = batch.map((one): Script => ({ ...one, id: id++ }));
        for (const one of all) scripts.set(one.id, one);
        const seen = await Promise.all(all.map((one) => visit(port, one)));
        seen.forEach((what, index) => judge(all[index]!, what, aborts.get(all[index]!.id) ?? 0));
        await untilIdle(server);
        while (settled.all.length - before < batch.length) await new Promise(setImmediate);
        expect(settled.all.length - before).toBe(batch.length);
        expect(crashes).toEqual([]);
      }),
      { numRuns: 20, endOnFailure: true },
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.off('uncaughtException', onCrash).off('unhandledRejection', onCrash);
    expect(crashes).toEqual([]);
    expect(settled.all).toHaveLength(id);
  }, 60_000);

  async function untilIdle(server: import('node:http').Server): Promise<void> {
    for (;;) {
      const open = await new Promise<number>((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      });
      if (open === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
});

function perform(
  s: Script,
  req: Request,
  res: Response,
  next: (error?: unknown) => void,
  onAbort: () => void,
): void {
  if (s.listens)
    req.signal.addEventListener('abort', () => (onAbort(), next(req.signal.reason)), { once: true });
  else req.signal.addEventListener('abort', onAbort);
  setTimeout(() => {
    if (req.signal.aborted && s.listens) return;
    if (s.handler === 'answer') res.send('whole');
    if (s.handler === 'fail') next(reset());
    if (s.handler === 'throw') next(new TypeError('a bug'));
    if (!s.handler.startsWith('stream')) return;
    res.write('wh');
    setTimeout(() => (s.handler === 'stream' ? res.end('ole') : next(reset())), s.until);
  }, s.at);
  setTimeout(() => {
    // What a careless handler does late. Answering twice by itself would be a bug of the app's own, not ours to hide.
    if (!req.signal.aborted || !res.headersSent || s.handler === 'answer' || s.handler.startsWith('stream'))
      return;
    if (s.late === 'json') res.json('late');
    if (s.late === 'write') res.write('late');
    if (s.late === 'next(err)') next(new Error('late'));
    if (s.late === 'destroy') res.destroy();
  }, s.lateAt);
}

async function visit(port: number, s: Script): Promise<Seen> {
  const client = await RawClient.connect(port);
  if (s.body === 'none') client.request(`/?id=${s.id}`);
  else if (s.body === 'half')
    client.send(
      `POST /?id=${s.id} HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a"`,
    );
  else client.request(`/?id=${s.id}`, { body: '{"a":1}' });
  const leaves = s.leaves === 'never' && s.body === 'half' ? 'fin' : s.leaves;
  let timer: NodeJS.Timeout | undefined;
  if (leaves !== 'never') timer = setTimeout(() => client.leave(leaves), s.leavesAt);
  try {
    const { status, body, complete } = await client.response();
    return { status, body, complete };
  } catch (error) {
    return { nothing: (error as Error).message };
  } finally {
    clearTimeout(timer);
    const closed = client.socket.closed ? undefined : once(client.socket, 'close').catch(() => undefined);
    client.leave('fin');
    await closed;
  }
}

function judge(s: Script, seen: Seen, aborts: number): void {
  const about = JSON.stringify({ s, seen, aborts });
  if (aborts > 1) throw new Error(`aborted ${aborts} times: ${about}`);
  const hasLeft = s.leaves !== 'never' || s.body === 'half';
  if (seen.nothing !== undefined) {
    if (!hasLeft) throw new Error(`no answer for a client that stayed: ${about}`);
    return;
  }
  // Node's own answer to a client that closes its side amid a body.
  if (seen.status === 400 && s.body === 'half' && s.leaves === 'half-close') return;
  if (![200, 500, 502, 504].includes(seen.status ?? 0)) throw new Error(`an unknown status: ${about}`);
  if (seen.body?.includes('late') === true) throw new Error(`a late byte: ${about}`);
  if (seen.status === 200 && seen.complete === true && seen.body !== 'whole')
    throw new Error(`looks whole and is not: ${about}`);
  if (seen.status !== 200 && seen.complete !== true && !hasLeft) throw new Error(`half an error: ${about}`);
}
