import { complaintsOf } from '../apps/judged';
import { DEFECTS_BETWEEN_REQUESTS } from '../apps/defects-between-requests';

describe('conformance(): apps in which requests hurt each other in one way each', () => {
  it.each(DEFECTS_BETWEEN_REQUESTS)('names the defect of an app that $name', async (app) => {
    expect(await complaintsOf(app)).toMatch(app.says);
  });
});
