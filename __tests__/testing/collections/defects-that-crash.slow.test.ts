import { namesEach } from '../apps/judged';
import { DEFECTS_THAT_CRASH } from '../apps/defects-that-crash';

describe('conformance(): apps that crash in one way each', () => {
  namesEach(DEFECTS_THAT_CRASH);
});
