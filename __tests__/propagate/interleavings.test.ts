import fc from 'fast-check';
import { scripts, world } from './interleavings';

it('no innocent call is ended and no guilty one is left, in 100 random interleavings', async () => {
  const subject = await world();
  await fc.assert(
    fc.asyncProperty(scripts(20), async (all) => {
      expect(await subject.play(all)).toEqual([]);
    }),
    { numRuns: 5, endOnFailure: true },
  );
  await subject.close();
});
