// Which files the build makes, and what each holds.
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));
export const TARGET = fileURLToPath(new URL('../../dist/', import.meta.url));

/** The files that a user's import names, each with the module of `src` that it is made of. */
export const SUBPATHS = {
  index: 'index',
  proxy: 'proxy/index',
  upstream: 'upstream/index',
  pg: 'databases/pg/index',
  mysql2: 'databases/mysql2/index',
  diagnose: 'diagnose/index',
  testing: 'testing/index',
  eslint: 'eslint/index',
};

export const COMMAND_LINE = { cli: 'cli/main' };

/** Modules that are loaded by `require()` when they are first needed. */
export const LATER = {
  propagate: 'propagate/propagation',
  'command-conformance': 'cli/conformance/conformance-command',
  'command-demo': 'cli/demo/demo-command',
  'command-fix': 'cli/fix/fix-command',
  'command-rollout': 'server/rollout/rollout-command',
};

/** What several files load: in a file of its own, so that there is one of it. */
export const SHARED = {
  core: /^((?!index$)[^/]+|request\/.*|answer\/.*|server\/(drain|traffic|tune)\/.*)$/,
  databases: /^databases\/[^/]*$/,
  'testing-kit': /^testing\/(?!index$)/,
  'command-parts': /^cli\/(?!command-line$|main$)[^/]+$/,
  'eslint-rules': /^eslint\/(?!index$)/,
};

/** Files that an app loads only where it needs them: they are written without indentation and without needless spaces. */
export const DENSE =
  /^(command-.+|testing-kit|eslint-rules|diagnose|databases|pg|mysql2|proxy|upstream|propagate)$/;

/** The demo runs its apps in other processes, and shows their code: each stays a file of its own, comments and all. */
export const ALONE = ['serve-app', 'apps/plain', 'apps/snippet', 'apps/ours'].map(
  (name) => `cli/demo/${name}`,
);

/** Makes every remark of the bundler an error, so that no user is the first to meet its cause. */
export function refuseWarning(level, { message }) {
  throw new Error(`${level}: ${message}`);
}
