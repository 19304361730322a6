// Plays the scenarios in a process that knows the authority of the test certificates, and gives the table.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TEST_CA } from '../../test-certificates.mjs';

export async function playAll(...args) {
  const folder = await mkdtemp(join(tmpdir(), 'hangup-scenarios-'));
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, TEST_CA);
  try {
    // NODE_ENV=test: Express prints the errors of its last handler everywhere else.
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: ca, NODE_ENV: 'test' };
    const program = new URL('play.mjs', import.meta.url).pathname;
    return await promisify(execFile)(process.execPath, [program, ...args], { env, maxBuffer: 10_000_000 });
  } finally {
    await rm(folder, { recursive: true });
  }
}
