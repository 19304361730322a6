// The ten apps by a part of the matrix, which takes a few minutes. Bodies that break off are played by
// apps-whole-matrix.slow.test.ts: what node-fetch 2 makes of them no repair of an app can mend.
import { APPS, expectRepaired, repairApps, type Outcome } from './repaired-apps';
import { removeBuilt } from './workshop';

jest.setTimeout(600_000);

let outcomes: Map<string, Promise<Outcome>>;

beforeAll(() => {
  outcomes = repairApps({
    faults: ['ok', 'hang', 'reset', 'close', 'refuse'],
    clients: ['stays', 'leaves-fin', 'leaves-in-response'],
  });
});

afterAll(removeBuilt);

it.each(APPS)(
  '%s (%s) passes its tests before and after, and loses nine of ten wrong cells of five faults',
  async (name) => {
    const outcome = await outcomes.get(name);
    expect(outcome).toBeDefined();
    if (outcome) expectRepaired(name, outcome);
  },
);
