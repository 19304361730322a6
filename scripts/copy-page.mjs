// Copies the files of diagnose()'s page, which no compiler makes, from src to dist. Run by `npm run build`.
import { cpSync } from 'node:fs';

const from = new URL('../src/diagnose/page/browser/', import.meta.url);
const to = new URL('../dist/diagnose/page/browser/', import.meta.url);

cpSync(from, to, { recursive: true, filter: (path) => !/\.json$|\.d\.ts$/.test(path) });
