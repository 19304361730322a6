import { APPS, expectRepaired, repairApps, type Outcome } from './repaired-apps';
import { removeBuilt } from './workshop';

jest.setTimeout(1_800_000);

let outcomes: Map<string, Promise<Outcome>>;

beforeAll(() => {
  outcomes = repairApps({});
});

afterAll(removeBuilt);

it.each(APPS)(
  '%s (%s) passes its tests before and after, and loses nine of ten wrong cells of the whole matrix',
  async (name) => {
    const outcome = await outcomes.get(name);
    expect(outcome).toBeDefined();
    if (outcome) expectRepaired(name, outcome);
  },
);
