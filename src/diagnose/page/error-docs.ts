import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `docs/errors.md` of this package, as it is installed. */
const PAGE = join(__dirname, '..', '..', '..', 'docs', 'errors.md');

/** What the docs say of a fault's code: its section of `docs/errors.md`; `undefined` where there is none. */
export function docsOf(code: string): string | undefined {
  if (!/^[A-Z_]{1,40}$/.test(code)) return undefined;
  let text: string;
  try {
    text = readFileSync(PAGE, 'utf8');
  } catch {
    // Bundled without its docs.
    return undefined;
  }
  const sections = text.split(/^(?=## )/m);
  return sections.find((section) => section.startsWith(`## ${code}\n`));
}
