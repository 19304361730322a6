import { accusesNone } from '../apps/judged';
import { RIGHT_APPS } from '../apps/right-apps';

describe('conformance(): right apps of many shapes', () => {
  accusesNone(RIGHT_APPS);
});
