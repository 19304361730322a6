import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '../..');
const docs = readFileSync(join(ROOT, 'docs/testing.md'), 'utf8');
const project = mkdtempSync(join(tmpdir(), 'workflow-'));

afterAll(() => rmSync(project, { recursive: true }));

/** The lines of the last step of the workflow in docs/testing.md, as a shell gets them. */
function lastStep(): string {
  const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(docs) ?? [];
  return yaml.split('- run: |\n')[1]?.replace(/^ {10}/gm, '') ?? '';
}

it('the workflow in docs/testing.md runs as it is written, for an app that is right', async () => {
  const app = readFileSync(join(__dirname, 'apps/relay.mjs'), 'utf8').replace('}, 300);', '}, 1000);');
  writeFileSync(join(project, 'app.mjs'), app);
  writeFileSync(join(project, 'package.json'), '{"private":true,"scripts":{"start":"node app.mjs"}}');
  // What `npx express-hangup` finds in a project that has the package.
  const bin = join(project, 'bin');
  mkdirSync(bin);
  const command = `shift\nexec "${process.execPath}" -r esbuild-register "${join(ROOT, 'src/cli/main.ts')}" "$@"`;
  writeFileSync(join(bin, 'npx'), `#!/bin/sh\n${command}\n`);
  chmodSync(join(bin, 'npx'), 0o755);
  const env = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    NODE_PATH: join(ROOT, 'node_modules'),
  };
  const { stdout } = await promisify(execFile)('sh', ['-e', '-c', lastStep()], { cwd: project, env });
  expect(stdout).toMatch(/ right, 0 wrong/);
  expect(readFileSync(join(project, 'conformance.xml'), 'utf8')).toContain('failures="0"');
}, 60_000);
