import { namesEach } from '../apps/judged';
import { DEFECTS_IN_CALLS } from '../apps/defects-in-calls';

describe('conformance(): apps whose calls have one defect each', () => {
  namesEach(DEFECTS_IN_CALLS);
});
