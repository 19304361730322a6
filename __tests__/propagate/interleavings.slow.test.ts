import fc from 'fast-check';
import { scripts, world } from './interleavings';

it('no innocent call is ended and no guilty one is left, in 10,000 random interleavings', async () => {
  const subject = await world();
  await fc.assert(
    fc.asyncProperty(scripts(50), async (all) => {
      expect(await subject.play(all)).toEqual([]);
    }),
    { numRuns: 200, endOnFailure: true },
  );
  await subject.close();
}, 600_000);
