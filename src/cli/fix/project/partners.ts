import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A message of ESLint's, in the parts that are read here. */
export interface LintMessage {
  readonly ruleId: string | null;
  readonly messageId?: string;
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly endLine?: number;
  readonly fatal?: boolean;
  readonly fix?: { readonly range: [number, number]; readonly text: string };
  readonly suggestions?: readonly {
    readonly messageId?: string;
    readonly fix: { readonly range: [number, number]; readonly text: string };
  }[];
}

/** ESLint's `Linter`, in the part that is used here. */
export interface Linter {
  verify: (text: string, config: object[], options: { filename: string }) => LintMessage[];
}

/** What the project, or else this package's own surroundings, has to work with. */
export interface Partners {
  readonly linter: Linter;
  /** The parser of typescript-eslint; `undefined` where it is not installed: TypeScript is then left alone. */
  readonly typescript: object | undefined;
}

/** Said where ESLint is missing. */
export const INSTALL_ESLINT = 'express-hangup fix works with ESLint 9 or 10: npm install --save-dev eslint';

/** Loads the partners from a project's folder, to read the files under `root`. Throws an Error that says what to install, where ESLint is missing or too old. */
export function loadPartners(cwd: string, root: string): Partners {
  const eslint = load('eslint', cwd) as
    { Linter: new (options: object) => Linter & { version?: string } } | undefined;
  if (eslint === undefined) throw new Error(INSTALL_ESLINT);
  const linter = new eslint.Linter({ configType: 'flat', cwd: root });
  const version = Number((linter as { version?: string }).version?.split('.')[0]);
  if (!(version >= 9)) throw new Error(`${INSTALL_ESLINT} (found version ${version})`);
  const bundle = load('typescript-eslint', cwd) as { parser: object } | undefined;
  return {
    linter,
    typescript: bundle?.parser ?? (load('@typescript-eslint/parser', cwd) as object | undefined),
  };
}

function load(name: string, cwd: string): unknown {
  for (const from of [join(cwd, 'package.json'), __filename]) {
    try {
      return createRequire(from)(name) as unknown;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
    }
  }
  return undefined;
}
