import fc from 'fast-check';
import { DeadlineQueue, type Queued } from '../../src/request/deadline-queue';

class Waiting implements Queued {
  dueAt = 0;
  before: Queued | undefined = undefined;
  after: Queued | undefined = undefined;
  passedAt: number | undefined = undefined;

  constructor(private readonly onPassed: (self: Waiting) => void) {}

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
        for (const waiting of all) queue.add(waiting, performance.now());
        const kept = all.filter((_, index) => !removals[index]);
        for (const waiting of all) if (!kept.includes(waiting)) queue.remove(waiting);
        while (passed.length < kept.length) await new Promise((resolve) => setTimeout(resolve, 5));
        await new Promise((resolve) => setTimeout(resolve, 5));
        expect(passed).toEqual(kept);
        expect(passed.every(({ passedAt, dueAt }) => passedAt! >= dueAt)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('has no timer when nobody waits', () => {
    const set = jest.spyOn(globalThis, 'setTimeout');
    const clear = jest.spyOn(globalThis, 'clearTimeout');
    const queue = new DeadlineQueue(60_000);
    const [one, two] = [new Waiting(() => undefined), new Waiting(() => undefined)];
    queue.add(one, performance.now());
    queue.add(two, performance.now());
    queue.remove(one);
    expect([set.mock.calls.length, clear.mock.calls.length]).toEqual([1, 0]);
    queue.remove(two);
    expect(clear).toHaveBeenCalledWith(set.mock.results[0]!.value);
    set.mockRestore();
    clear.mockRestore();
  });

  it('takes a deadline that is added while another passes', async () => {
    const queue = new DeadlineQueue(10);
    const second = await new Promise<Waiting>((resolve) => {
      const next = new Waiting(resolve);
      queue.add(new Waiting(() => queue.add(next, performance.now())), performance.now());
    });
    expect(second.passedAt).toBeGreaterThanOrEqual(second.dueAt);
  });
});
