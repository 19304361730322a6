import { namesEach } from '../apps/judged';
import { DEFECTS_IN_ANSWERS } from '../apps/defects-in-answers';

describe('conformance(): apps whose answers have one defect each', () => {
  namesEach(DEFECTS_IN_ANSWERS);
});
