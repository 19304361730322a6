import { complaintsOf } from '../apps/judged';
import { DEFECTS_THAT_CRASH } from '../apps/defects-that-crash';

describe('conformance(): apps that crash in one way each', () => {
  it.each(DEFECTS_THAT_CRASH)('names the defect of an app that $name', async (app) => {
    expect(await complaintsOf(app)).toMatch(app.says);
  });
});
