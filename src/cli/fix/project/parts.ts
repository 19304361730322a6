import { dirname, join } from 'node:path';

/** `import orders from './orders'`, `import * as orders from …`, `const orders = require(…)`: the name, and the file. */
const BRINGS_IN =
  /(?:import\s+(?:\*\s*as\s+)?(\w+)(?:\s*,[^;'"]*)?\s+from\s*|(?:const|let|var)\s+(\w+)\s*=\s*require\(\s*)['"](\.[^'"]*)['"]/g;
const BRINGS_IN_NAMES =
  /(?:import\s*\{([^}]*)\}\s*from\s*|(?:const|let|var)\s*\{([^}]*)\}\s*=\s*require\(\s*)['"](\.[^'"]*)['"]/g;
const ENDINGS = ['', '.js', '.ts', '.mjs', '.cjs', '.mts', '.cts', '/index.js', '/index.ts'];

/**
 * The files of which another one hands something to `.use(…)`: an app that they make is a part of that one's app, which has the
 * middleware for both.
 */
export function partsIn(texts: ReadonlyMap<string, string>): ReadonlySet<string> {
  const parts = new Set<string>();
  for (const [file, text] of texts) {
    if (!text.includes('.use(')) continue;
    for (const [names, path] of broughtIn(text)) {
      const used = names.some((name) => new RegExp(`\\.use\\([^;]*\\b${name}\\b`).test(text));
      const from = used ? resolved(join(dirname(file), path), texts) : undefined;
      if (from !== undefined) parts.add(from);
    }
  }
  return parts;
}

function broughtIn(text: string): [names: string[], path: string][] {
  const whole = [...text.matchAll(BRINGS_IN)].map(([, imported, required, path]): [string[], string] => [
    [imported ?? required ?? ''],
    path ?? '',
  ]);
  const single = [...text.matchAll(BRINGS_IN_NAMES)].map(
    ([, imported, required, path]): [string[], string] => [
      (imported ?? required ?? '').split(',').flatMap((each) => /(\w+)\s*$/.exec(each)?.[1] ?? []),
      path ?? '',
    ],
  );
  return [...whole, ...single];
}

function resolved(base: string, texts: ReadonlyMap<string, string>): string | undefined {
  const bases = [base, base.replace(/\.([cm]?)js$/, '.$1ts')];
  return bases.flatMap((each) => ENDINGS.map((ending) => each + ending)).find((path) => texts.has(path));
}
