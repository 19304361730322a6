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
const BESIDE = 'To leave it as it is: npx --package express-hangup --package eslint@10 express-hangup fix';

/**
 * Loads the partners from a project's folder, or else from this package's surroundings, to read the files under `root`.
 * @throws {Error} where ESLint is missing or too old: it says what to install.
 */
export function loadPartners(cwd: string, root: string): Partners {
  const [bundle] = load('typescript-eslint', cwd) as { parser: object }[];
  const [parser] = load('@typescript-eslint/parser', cwd) as object[];
  return { linter: linterOf(cwd, root), typescript: bundle?.parser ?? parser };
}

interface ESLint {
  readonly Linter: new (options: object) => Linter & { readonly version?: string };
}

function linterOf(cwd: string, root: string): Linter {
  let found: number | undefined;
  for (const { Linter: Made } of load('eslint', cwd) as ESLint[]) {
    const linter = new Made({ configType: 'flat', cwd: root });
    const version = Number(linter.version?.split('.')[0]);
    if (version >= 9) return linter;
    found ??= version;
  }
  throw new Error(
    found === undefined ? INSTALL_ESLINT : `${INSTALL_ESLINT} (found version ${found}). ${BESIDE}`,
  );
}

/** What a name stands for in the project, and beside this package: none, one or two. */
function load(name: string, cwd: string): unknown[] {
  return [join(cwd, 'package.json'), __filename].flatMap((from) => {
    try {
      return [createRequire(from)(name) as unknown];
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
      return [];
    }
  });
}
