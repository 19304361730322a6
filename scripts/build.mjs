// npm run build: makes `dist` from `src`. With --code only the JavaScript, without a check of its types.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildCode } from './build/code.mjs';
import { ROOT, SOURCE, TARGET } from './build/layout.mjs';
import { shrink } from './build/shrink.mjs';

/** The page of `diagnose()`, whose files are served. */
const PAGE = 'diagnose/page/browser';

/** The compiler's declarations, one for each module. */
const DECLARATIONS = join(ROOT, '.cache/declarations');

const isWhole = !process.argv.includes('--code');

if (isWhole) rmSync(TARGET, { recursive: true, force: true });
await buildCode();
// npm does so where it installs; `npm link` and a symlink in node_modules do not.
chmodSync(join(TARGET, 'cli.js'), 0o755);
copyPage();
if (isWhole) await buildTypes();

async function buildTypes() {
  rmSync(DECLARATIONS, { recursive: true, force: true });
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', DECLARATIONS];
  execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  // Not needed for the code alone, and slow to load.
  const { rollTypes } = await import('./build/types.mjs');
  await rollTypes(DECLARATIONS);
}

function copyPage() {
  const [from, to] = [join(SOURCE, PAGE), join(TARGET, PAGE)];
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter((file) => /\.(html|css|svg|js)$/.test(file))) {
    const text = readFileSync(join(from, name), 'utf8');
    writeFileSync(join(to, name), shrinkPart(name, text));
  }
}

/** In HTML the ends of lines stay: they are white space between words. */
function shrinkPart(name, text) {
  if (name.endsWith('.js')) return shrink(text, { dense: true });
  if (name.endsWith('.css')) return text.replace(/\/\*.*?\*\//gs, '').replace(/\s*([{};,]|:(?= ))\s*/g, '$1');
  return text.replace(/^\s+/gm, '');
}
