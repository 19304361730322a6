import { relative } from 'node:path';
import { recommended } from '../../../eslint/plugin';
import { addImports } from '../../../eslint/rules/add-imports';
import type { Packages } from './packages';
import type { Partners } from './partners';
import type { Inspection } from '../repair-file';

/** What the user has chosen of the repairs. */
export interface Choice {
  /** Rules without their prefix; all where it is empty. */
  readonly only: readonly string[];
  readonly skip: readonly string[];
  /** Milliseconds for `hangup({ deadline })` where it is mounted. */
  readonly deadline: number | undefined;
  /** Whether services get `currentSignal()`, and `hangup({ context: true })` is mounted for it. */
  readonly context: boolean;
}

/** The name of a file in a report. */
export function nameOf(file: string, root: string): string {
  return relative(root, file).replaceAll('\\', '/');
}

/** Whether a rule is among those of a run. */
export function isChosen(name: string, { only, skip }: Choice): boolean {
  return (only.length === 0 || only.includes(name)) && !skip.includes(name);
}

/** What is known around a file. */
export interface Surroundings {
  readonly root: string;
  readonly packages: Packages;
  /** Whether the project has exception filters of Nest's. */
  readonly hasNestFilters: boolean;
  /** The files whose apps others use as parts of theirs. */
  readonly parts: ReadonlySet<string>;
  readonly partners: Partners;
  readonly choice: Choice;
}

/** How a file is to be looked at: by which rules, parsed as what. */
export function inspectionOf(file: string, text: string, project: Surroundings): Inspection {
  const { root, partners, choice, hasNestFilters, parts } = project;
  const languageOptions = languageOf(file, text, project);
  const mountOptions = {
    ...(choice.deadline !== undefined && { deadline: choice.deadline }),
    ...(choice.context && { context: true }),
  };
  const rules = Object.keys(recommended.plugins['express-hangup'].rules).filter((name) =>
    isChosen(name, choice),
  );
  const shared = {
    // A pattern that fits everything counts as none for what is not JavaScript.
    files: ['**/*.{js,mjs,cjs,jsx,ts,mts,cts,tsx}'],
    languageOptions,
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    settings: {
      'express-hangup': { importsAreAdded: true, mounted: true, hasNestFilters, isPart: parts.has(file) },
    },
  };
  const plugins = { 'express-hangup': { rules: recommended.plugins['express-hangup'].rules } };
  const severities = Object.fromEntries(rules.map((name) => [`express-hangup/${name}`, 'error'])) as Record<
    string,
    unknown
  >;
  if ('express-hangup/mount-hangup' in severities)
    severities['express-hangup/mount-hangup'] = ['error', mountOptions];
  return {
    linter: partners.linter,
    config: [{ ...shared, plugins, rules: severities }],
    imports: [
      {
        ...shared,
        plugins: { repair: { rules: { imports: addImports } } },
        rules: { 'repair/imports': 'error' },
      },
    ],
    filename: file,
    file: nameOf(file, root),
  };
}

function languageOf(file: string, text: string, { partners, packages }: Surroundings): object {
  const parserOptions = { ecmaFeatures: { jsx: true } };
  const { typescript } = partners;
  if (isTypeScript(file)) return { parser: typescript, sourceType: 'module', parserOptions };
  const isModule =
    /\.mjs$/.test(file) || (!/\.cjs$/.test(file) && (IMPORTS.test(text) || packages.of(file).isModule));
  return { sourceType: isModule ? 'module' : 'commonjs', ecmaVersion: 'latest', parserOptions };
}

/** Whether a file is TypeScript by its name. */
export function isTypeScript(file: string): boolean {
  return /\.([cm]?ts|tsx)$/.test(file);
}

/** What only an ES module has, or what is compiled to CommonJS; `import('x')` may stand in both. */
const IMPORTS = /^\s*(import\s*['"{*\w]|export\b)/m;
