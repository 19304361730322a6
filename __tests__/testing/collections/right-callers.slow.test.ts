import { accusesNone } from '../apps/judged';
import { RIGHT_CALLERS } from '../apps/right-callers';

describe('conformance(): right apps that call with many clients', () => {
  accusesNone(RIGHT_CALLERS);
});
