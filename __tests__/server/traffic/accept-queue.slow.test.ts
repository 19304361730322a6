import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { upToDateDist } from '../../fixtures/up-to-date-dist';

interface Figures {
  rows: { way: string; 1000: { lost: number; sent: number } }[];
}

// docs/deploys.md has the figures of a whole run of the same command.
it('a closing listener resets what waits in the accept queue with server.close(), and next to nothing with drainable()', async () => {
  await upToDateDist();
  const bench = join(__dirname, '../../../bench/accept-queue.mjs');
  const ways = ['server.close()', 'drainable()', 'socket activation'].flatMap((way) => ['--way', way]);
  const args = [bench, '--json', '--restarts', '5', '--rate', '1000', ...ways];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { rows } = JSON.parse(stdout) as Figures;
  const [plain, drained, held] = rows.map((row) => row[1000]);
  expect(plain!.lost).toBeGreaterThan(10);
  // A connection may still come in the tenth of a millisecond between the last look at the queue and its end.
  expect(drained!.lost).toBeLessThanOrEqual(5);
  expect(drained!.sent).toBeGreaterThan(1000);
  expect(held!.lost).toBe(0);
}, 90_000);
