import { complaintsOf } from '../apps/judged';
import { DEFECTS_IN_ANSWERS } from '../apps/defects-in-answers';

describe('conformance(): apps whose answers have one defect each', () => {
  it.each(DEFECTS_IN_ANSWERS)('names the defect of an app that $name', async (app) => {
    expect(await complaintsOf(app)).toMatch(app.says);
  });
});
