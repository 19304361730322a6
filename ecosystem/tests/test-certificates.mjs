// The certificates of the testing kit, from its sources: the package keeps them to itself.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { transformSync } = createRequire(new URL('../../package.json', import.meta.url))('esbuild');
const source = readFileSync(
  new URL('../../src/testing/upstream/test-certificates.ts', import.meta.url),
  'utf8',
);
const { code } = transformSync(source, { loader: 'ts', format: 'esm' });

export const { TEST_CA, TEST_CERTIFICATES, TEST_KEY } = await import(
  `data:text/javascript,${encodeURIComponent(code)}`
);
