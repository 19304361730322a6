/* eslint jest/no-standalone-expect: ['error', { additionalTestBlockFunctions: ['itHere'] }] */
import { isInstalled } from '../../fixtures/server-proxies/proxy-process';
import { mixedLoad } from '../../fixtures/server-rollout/mixed-load';
import { Stage } from '../../fixtures/server-rollout/stage';

const isHere = isInstalled('haproxy');
const itHere = isHere ? it : it.skip;
const title = (text: string): string => (isHere ? text : `${text} (SKIPPED: haproxy is not installed)`);

/** Ten rollouts: the version's name, or "back", and what becomes of it. Five are broken in the way that the name says. */
const ROLLOUTS: [name: string, code: number, outcome: string, why?: RegExp][] = [
  ['exits', 1, 'refused', /ended before it was ready/],
  ['second', 0, 'shifted'],
  ['never-ready', 1, 'refused', /not ready within 8000 ms/],
  ['third', 0, 'shifted'],
  ['errors', 1, 'taken back', /answers were errors/],
  ['back', 0, 'shifted'],
  ['hangs', 1, 'taken back', /readiness answers nothing|answers were errors/],
  ['fourth', 0, 'shifted'],
  ['leaks', 1, 'taken back', /it has ended|answers were errors/],
  ['fifth', 0, 'shifted'],
];

describe('ten rollouts under a mixed load, five of them broken', () => {
  itHere(
    title('lose no request, and leave the good versions serving'),
    async () => {
      const stage = await Stage.set();
      expect(await stage.rollout('run', '--as', 'first')).toBe(0);
      const load = mixedLoad(stage.port);
      for (const [name, code] of ROLLOUTS) {
        const args = name === 'back' ? ['back'] : ['run', '--as', name];
        expect([name, await stage.rollout(...args), load.result.failed]).toEqual([name, code, {}]);
      }
      const { ok, failed } = await load.stop();
      expect(failed).toEqual({});
      expect(Object.keys(ok).sort()).toEqual(['GET', 'POST', 'WebSocket', 'events', 'slow']);
      expect(await stage.version()).toBe('fifth');
      const record = stage.record.slice(1);
      expect(record.map(({ outcome }) => outcome)).toEqual(ROLLOUTS.map(([, , outcome]) => outcome));
      expect(record.map(({ lost }) => lost)).toEqual(ROLLOUTS.map(() => 0));
      ROLLOUTS.forEach(([, , , why = /^$/], index) => expect(record[index]?.why ?? '').toMatch(why));
      // What was taken back was third; what served before it, second.
      expect(record[5]).toMatchObject({ action: 'back', version: 'second', replaces: 'third' });
    },
    240_000,
  );
});
