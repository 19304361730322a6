import { namesEach } from '../apps/judged';
import { DEFECTS_BETWEEN_REQUESTS } from '../apps/defects-between-requests';

describe('conformance(): apps in which requests hurt each other in one way each', () => {
  namesEach(DEFECTS_BETWEEN_REQUESTS);
});
