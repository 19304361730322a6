import { AsyncResource, createHook } from 'node:async_hooks';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import fc from 'fast-check';
import { DeadlineQueue, DeadlineTimer, type Timed } from '../../src/request/lifetime/deadline-clock';
import { expressVersions, serve } from '../fixtures/serve';

class Waiting extends AsyncResource implements Timed {
  readonly arrivedAt = performance.now();
  before: Timed | undefined = undefined;
  after: Timed | undefined = undefined;
  passedAt: number | undefined = undefined;

  constructor(private readonly onPassed: (self: Waiting) => void) {
    super('waiting');
  }

  deadlinePassed(): void {
    this.passedAt = performance.now();
    this.onPassed(this);
  }
}

describe('DeadlineQueue', () => {
  it('passes each deadline that is not removed, once, in order and not before its time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), async (removals) => {
        const queue = new DeadlineQueue(15);
        const passed: Waiting[] = [];
        const all = removals.map(() => new Waiting((self) => passed.push(self)));
        for (const waiting of all) queue.add(waiting);
        const kept = all.filter((_, index) => !removals[index]);
        for (const waiting of all) if (!kept.includes(waiting)) queue.stop(waiting);
        while (passed.length < kept.length) await new Promise((resolve) => setTimeout(resolve, 5));
        await new Promise((resolve) => setTimeout(resolve, 5));
        expect(passed).toEqual(kept);
        expect(passed.every(({ passedAt, arrivedAt }) => passedAt! >= arrivedAt + 15 - 1)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('has one timer, however many wait and however often nobody does', () => {
    let timers = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'Timeout') timers += 1;
      },
    }).enable();
    const queue = new DeadlineQueue(60_000);
    for (let round = 0; round < 3; round++) {
      const [one, two] = [new Waiting(() => undefined), new Waiting(() => undefined)];
      queue.add(one);
      queue.add(two);
      queue.stop(one);
      queue.stop(two);
    }
    hook.disable();
    expect(timers).toBe(1);
  });

  it('takes a deadline that is added while another passes', async () => {
    const queue = new DeadlineQueue(10);
    const second = await new Promise<Waiting>((resolve) => {
      const next = new Waiting(resolve);
      queue.add(new Waiting(() => queue.add(next)));
    });
    expect(second.passedAt).toBeGreaterThanOrEqual(second.arrivedAt + 10 - 1);
  });

  it("goes on in real time while fake timers are in the place of Node's, and after them", async () => {
    const queue = new DeadlineQueue(20);
    const passing = (): Promise<Waiting> => new Promise((resolve) => queue.add(new Waiting(resolve)));
    const waiting = passing();
    jest.useFakeTimers();
    try {
      await waiting;
    } finally {
      jest.useRealTimers();
    }
    expect((await passing()).passedAt).toBeDefined();
  });
});

describe('DeadlineTimer', () => {
  it('does not pass once it is stopped, also where the clearTimeout of fake timers does not know it', async () => {
    let passed = 0;
    const timer = new DeadlineTimer(new Waiting(() => (passed += 1)), 10);
    // As node:test and sinon do with a timer of Node's.
    const forgetful = jest.spyOn(globalThis, 'clearTimeout').mockImplementation(() => undefined);
    timer.stop();
    expect(forgetful).toHaveBeenCalled();
    forgetful.mockRestore();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(passed).toBe(0);
  });
});

describe.each(expressVersions)(
  'timers that are numbers, as those of jsdom are, on %s',
  (_version, express) => {
    it('end a request at its deadline all the same', async () => {
      const app = express();
      app.set('env', 'test');
      app.use(hangup({ deadline: 30, grace: 10 }));
      app.get(
        '/',
        (req, res) => void req.deadline.signal(10_000).addEventListener('abort', () => res.write('late')),
      );
      app.use(gatewayErrorHandler());
      const { url } = await serve(app);
      const { setTimeout: nodeSetTimeout, clearImmediate: nodeClearImmediate } = globalThis;
      const started = new Map<number, NodeJS.Timeout>();
      const start = (...args: Parameters<typeof nodeSetTimeout>): number => {
        const timer = nodeSetTimeout(...args);
        started.set(Number(timer), timer);
        return Number(timer);
      };
      Object.assign(globalThis, { setTimeout: start, clearImmediate: undefined });
      try {
        expect((await fetch(url)).status).toBe(504);
      } finally {
        Object.assign(globalThis, { setTimeout: nodeSetTimeout, clearImmediate: nodeClearImmediate });
        for (const timer of started.values()) clearTimeout(timer);
      }
      expect(started.size).toBeGreaterThan(1);
    });
  },
);
