import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { upToDateDist } from '../fixtures/up-to-date-dist';

const PROGRAM = join(__dirname, '../fixtures/promoted-requests.cjs');

/** V8 of Node 20 and 22 gives each request hidden classes of its own, and what they refer to is kept as well. */
const isOldNode = Number(process.versions.node.split('.')[0]) < 24;
/** What a request may leave more than one of Express alone, in bytes. Each has a payload of 4,000. */
const ALLOWED = isOldNode ? 4500 : 1500;

/** How many bytes each request leaves in the old generation. */
async function leftBy(use: string): Promise<number> {
  // A full garbage collection would hide what the young generation's leave: with so large a heap there is none.
  const args = ['--initial-heap-size=1024', PROGRAM, use];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, NODE_ENV: 'test' },
  });
  return Number(stdout);
}

describe('a request that is over', () => {
  let ofExpress: number;

  beforeAll(async () => {
    await upToDateDist();
    ofExpress = await leftBy('Express alone');
  }, 120_000);

  it.each([
    'hangup() alone',
    'req.deadline is read',
    'req.signal has a listener',
    'req.signal is passed to node:http',
    'calls end by propagation',
    'a route has its own deadline',
    'there is no Express',
    ...(isOldNode ? [] : ['the deadline passes', 'the handler answers late']),
  ])(
    'is collected with the young generation: %s',
    async (use) => {
      expect((await leftBy(use)) - ofExpress).toBeLessThan(ALLOWED);
    },
    120_000,
  );
});
