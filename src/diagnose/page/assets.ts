import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Something that is served as it is. */
export interface Asset {
  readonly type: string;
  readonly body: string;
}

const FOLDER = join(__dirname, 'browser');

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  css: 'text/css',
  js: 'text/javascript',
  svg: 'image/svg+xml',
};

/** What is served below the page. Only these names are ever looked for in the file system. */
const NAMES: ReadonlySet<string> = new Set([
  ...['page.html', 'page.css', 'icon.svg', 'page.js', 'elements.js', 'words.js'],
  ...['faults.js', 'routes.js', 'outcomes.js', 'upstreams.js'],
]);

const read = new Map<string, Asset>();

/** One of the page's own files by its name, read when it is first asked for; `undefined` for any other name. */
export function assetOf(name: string): Asset | undefined {
  if (!NAMES.has(name)) return undefined;
  const known = read.get(name);
  if (known) return known;
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'text/plain';
  const asset = { type, body: readFileSync(join(FOLDER, name), 'utf8') };
  read.set(name, asset);
  return asset;
}
