import { once } from 'node:events';
import { currentDeadline, currentSignal, detached, drainable, hangup } from 'express-hangup';
import { detachedWork } from '../../src/request/detached';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, gate, serve } from '../fixtures/serve';

const [[, express]] = expressVersions;

describe('detached()', () => {
  it('begins at once and gives what the work gives', async () => {
    const order: string[] = [];
    const result = detached(() => {
      order.push('work');
      return Promise.resolve(7);
    });
    order.push('after');
    expect(await result).toBe(7);
    expect(order).toEqual(['work', 'after']);
  });

  it.each(['context', 'propagate'])('has no current request inside, with %s', async (option) => {
    const app = express();
    app.use(hangup({ [option]: true }));
    app.get('/', async (req, res) => {
      const inside = await detached(async () => {
        const first = [typeof currentSignal(), typeof currentDeadline()];
        await new Promise(setImmediate);
        return [...first, typeof currentSignal()];
      });
      res.json([...inside, currentSignal() === req.signal]);
    });
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    expect((await client.response()).body).toBe('["undefined","undefined","undefined",true]');
    client.leave('fin');
  });

  it('refuses a promise, which has begun in the request', () => {
    expect(() => detached(Promise.resolve() as never)).toThrow(/detached\(\) takes a function/);
  });
});

describe('an error of detached work', () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): number => unhandled.push(error);
  beforeEach(() => void process.on('unhandledRejection', onUnhandled));
  afterEach(() => {
    process.off('unhandledRejection', onUnhandled);
    // The rejection's own error says what is wrong.
    for (const error of unhandled.splice(0)) throw error;
  });

  const failures: [string, () => Promise<never>][] = [
    [
      'thrown',
      () => {
        throw new Error('lost');
      },
    ],
    ['of a promise', () => Promise.reject(new Error('lost'))],
    ['of a later time', () => new Promise((_, reject) => setImmediate(() => reject(new Error('lost'))))],
  ];

  it.each(failures)('that nobody takes is an event: %s', async (_when, work) => {
    const events = collect('detached');
    void detached(work);
    const { error, ms } = await events.next();
    expect(error).toEqual(new Error('lost'));
    expect(ms).toBeGreaterThanOrEqual(0);
  });

  it.each(failures)('goes to who awaits it, and is no event: %s', async (_when, work) => {
    const events = collect('detached');
    await expect((async () => detached(work))()).rejects.toThrow('lost');
    await expect(
      (async () => {
        await detached(work);
      })(),
    ).rejects.toThrow('lost');
    expect(await detached(work).catch((error: unknown) => String(error))).toBe('Error: lost');
    await new Promise(setImmediate);
    expect(events.all).toEqual([]);
  });

  it('is a warning of the process where nobody listens for the event', async () => {
    const warned = gate<unknown[]>();
    const emitWarning = jest
      .spyOn(process, 'emitWarning')
      .mockImplementation((...args: unknown[]) => warned.open(args));
    void detached(() => Promise.reject(new Error('lost')));
    const [message, name] = await warned.promise;
    emitWarning.mockRestore();
    expect(name).toBe('DetachedWorkWarning');
    expect(message).toContain('Error: lost');
  });
});

describe('the register of detached work', () => {
  it('tells how much is under way, and when nothing is any more', async () => {
    const [first, second] = [gate(), gate()];
    const order: string[] = [];
    const works = [detached(() => first.promise), detached(() => second.promise)];
    expect(detachedWork.size).toBe(2);
    detachedWork.onceIdle(() => order.push('idle'));
    first.open();
    await works[0];
    order.push('one left');
    expect(detachedWork.size).toBe(1);
    second.open();
    await works[1];
    expect(detachedWork.size).toBe(0);
    expect(order).toEqual(['one left', 'idle']);
    detachedWork.onceIdle(() => order.push('at once'));
    expect(order).toEqual(['one left', 'idle', 'at once']);
  });

  it('counts work that fails as over', async () => {
    await detached(() => Promise.reject(new Error('lost'))).catch(() => undefined);
    expect(detachedWork.size).toBe(0);
  });
});

describe('a drain', () => {
  async function draining(
    work: Promise<unknown>,
    timeout: number,
  ): Promise<{ isDone: () => boolean; done: Promise<unknown> }> {
    const app = express();
    app.use(hangup({ propagate: true }));
    app.get('/', (req, res) => {
      void detached(() => work);
      res.end();
    });
    const { server, port } = await serve(app);
    const { drain } = drainable(server, { signals: [], delay: 0, timeout, force: 10_000 });
    const client = (await RawClient.connect(port)).request('/');
    await client.response();
    client.leave('fin');
    const closed = once(server, 'close');
    let isDone = false;
    const done = drain().then(() => (isDone = true));
    await closed;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    return { isDone: () => isDone, done };
  }

  it('waits for detached work', async () => {
    const work = gate();
    const { isDone, done } = await draining(work.promise, 5000);
    expect(isDone()).toBe(false);
    work.open();
    await done;
  });

  it('waits for detached work no longer than its timeout', async () => {
    const work = gate();
    const { isDone, done } = await draining(work.promise, 300);
    expect(isDone()).toBe(false);
    await done;
    expect(detachedWork.size).toBe(1);
    work.open();
  });
});
