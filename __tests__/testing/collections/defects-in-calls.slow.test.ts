import { complaintsOf } from '../apps/judged';
import { DEFECTS_IN_CALLS } from '../apps/defects-in-calls';

describe('conformance(): apps whose calls have one defect each', () => {
  it.each(DEFECTS_IN_CALLS)('names the defect of an app that $name', async (app) => {
    expect(await complaintsOf(app)).toMatch(app.says);
  });
});
