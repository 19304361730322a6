import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, relative, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import * as core from 'express-hangup';
import ts from 'typescript';

const src = resolve(__dirname, '../src');

interface Import {
  /** The importing module, `request/lifetime`. */
  from: string;
  /** The imported one, `errors`, or as it was written where it is not ours: `node:http`, `express`. */
  to: string;
  isOurs: boolean;
  /** Nothing of it is left when the program runs. */
  isTypeOnly: boolean;
}

const sources = filesOf(src, '.ts').map((path) => ({
  module: path.replace(/\.ts$/, ''),
  file: parse(join(src, path)),
}));
const imports = sources.flatMap(({ module, file }) => importsOf(module, file));

function filesOf(directory: string, ending: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending))
    .map((path) => path.replaceAll('\\', '/'));
}

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022, true);
}

function importsOf(module: string, file: ts.SourceFile): Import[] {
  return file.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const { moduleSpecifier } = statement;
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return [];
    const isOurs = moduleSpecifier.text.startsWith('.');
    const to = isOurs ? posix.join(posix.dirname(module), moduleSpecifier.text) : moduleSpecifier.text;
    return [{ from: module, to, isOurs, isTypeOnly: isTypeOnly(statement) }];
  });
}

function isTypeOnly(statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(statement)) {
    const { exportClause } = statement;
    const isEach =
      exportClause !== undefined && ts.isNamedExports(exportClause) && areTypes(exportClause.elements);
    return statement.isTypeOnly || isEach;
  }
  const clause = statement.importClause;
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = clause;
  return (
    name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    areTypes(namedBindings.elements)
  );
}

function areTypes(elements: readonly { isTypeOnly: boolean }[]): boolean {
  return elements.every((element) => element.isTypeOnly);
}

/** The room of the house that a module stands in: `request`, or the module's own name where it stands in none. */
function roomOf(module: string): string {
  return module.split('/')[0] ?? module;
}

const CORE = [
  ...['errors', 'events', 'options', 'private-field', 'subscribe-all'],
  ...['request', 'propagate', 'answer', 'server'],
];

/** Which rooms each room may look into at run time, besides itself. Types may come from anywhere in the core. */
const allowed: Record<string, string[]> = {
  errors: [],
  events: ['private-field'],
  options: [],
  'private-field': [],
  'subscribe-all': [],
  request: ['errors', 'events', 'options', 'private-field', 'propagate'],
  propagate: ['errors', 'events', 'options', 'private-field', 'subscribe-all', 'request'],
  answer: ['errors', 'events', 'options', 'private-field', 'request'],
  server: ['errors', 'events', 'options', 'request'],
  index: CORE,
  proxy: CORE,
  upstream: CORE,
  diagnose: CORE,
  databases: CORE,
  testing: [],
  eslint: [],
  cli: ['index', 'testing', 'server', 'eslint'],
};

const DATABASES = ['databases/pg/index', 'databases/mysql2/index'];

function show({ from, to }: Import): string {
  return `${from} -> ${to}`;
}

describe('who imports whom', () => {
  it('knows every room of the house', () => {
    const rooms = new Set(sources.map(({ module }) => roomOf(module)));
    expect([...rooms].filter((room) => !(room in allowed))).toEqual([]);
  });

  it('follows the table of rooms', () => {
    const wrong = imports.filter(({ from, to, isOurs, isTypeOnly }) => {
      const [here, there] = [roomOf(from), roomOf(to)];
      if (!isOurs || here === there) return false;
      const known = isTypeOnly && here !== 'testing' ? [...(allowed[here] ?? []), ...CORE] : allowed[here];
      return !known?.includes(there);
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it('has no cycle', () => {
    const edges = new Map(sources.map(({ module }) => [module, new Set<string>()]));
    for (const { from, to, isOurs, isTypeOnly } of imports)
      if (isOurs && !isTypeOnly) edges.get(from)?.add(to);
    expect(cyclesOf(edges)).toEqual([]);
  });

  it('needs nothing but Node at run time', () => {
    const foreign = imports.filter(
      ({ to, isOurs, isTypeOnly }) => !isOurs && !isTypeOnly && !to.startsWith('node:'),
    );
    expect(foreign.map(show)).toEqual([]);
  });

  it('takes types only from Node and Express, and undici for upstream()', () => {
    const packages = imports.filter(({ to, isOurs }) => !isOurs && !to.startsWith('node:'));
    const unknown = packages.filter(
      ({ from, to }) => to !== 'express' && !(to === 'undici' && roomOf(from) === 'upstream'),
    );
    expect(unknown.map(show)).toEqual([]);
  });
});

/** Modules that import themselves by way of others. */
function cyclesOf(edges: Map<string, Set<string>>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (module: string, path: string[]): void => {
    if (path.includes(module)) found.push([...path.slice(path.indexOf(module)), module].join(' -> '));
    if (done.has(module) || path.includes(module)) return;
    for (const next of edges.get(module) ?? []) visit(next, [...path, module]);
    done.add(module);
  };
  for (const module of edges.keys()) visit(module, []);
  return found;
}

describe('what modules export', () => {
  it('is named, never a default', () => {
    const defaults = sources.filter(({ file }) => file.statements.some(isDefaultExport));
    expect(defaults.map(({ module }) => module)).toEqual([]);
  });

  it('is in each index only a table of contents', () => {
    const indexes = sources.filter(({ module }) => posix.basename(module) === 'index');
    const wrong = indexes.filter(({ file }) => !file.statements.every(isNamedReExport));
    expect(indexes).toHaveLength(8);
    expect(wrong.map(({ module }) => module)).toEqual([]);
  });

  it('is from the core what the contract names', () => {
    const errors = [
      'ClientClosedRequestError',
      'DeadlineExceededError',
      'HangupError',
      'ResponseDestroyedError',
    ];
    const functions = [
      'classifyError',
      'currentDeadline',
      'currentSignal',
      'deadline',
      'detached',
      'gatewayErrorHandler',
      'hangup',
    ];
    expect(Object.keys(core).sort()).toEqual(
      [
        ...errors,
        'ResponseStalledError',
        'ServerDrainingError',
        ...functions,
        'drainable',
        'tuneServer',
      ].sort(),
    );
  });
});

function isDefaultExport(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  return (
    ts.isExportAssignment(statement) || modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)
  );
}

function isNamedReExport(statement: ts.Statement): boolean {
  return (
    ts.isExportDeclaration(statement) &&
    statement.moduleSpecifier !== undefined &&
    statement.exportClause !== undefined &&
    ts.isNamedExports(statement.exportClause)
  );
}

interface Loaded {
  builtins: string[];
  resources: string[];
  listeners: string[];
  globals: string[];
}

// Runs in a process of its own: what appears when a module is loaded, besides the module.
const WHAT_LOADING_DOES = `
  const state = () => ({
    builtins: process.moduleLoadList.filter((name) => /^NativeModule (?!internal)/.test(name)).map((name) => name.slice(13)),
    resources: process.getActiveResourcesInfo(),
    listeners: process.eventNames().map((name) => String(name) + ' ' + process.listenerCount(name)),
    globals: Reflect.ownKeys(globalThis).map(String),
  });
  // Node opens its own output streams when they are first asked for, as the last line does.
  process.stdout;
  process.stderr;
  const before = state();
  require(process.argv[1]);
  const after = state();
  console.log(JSON.stringify(Object.fromEntries(
    Object.entries(after).map(([what, values]) => [what, values.filter((value) => !before[what].includes(value))]),
  )));
`;

describe('loading a module', () => {
  let built: string;

  beforeAll(() => {
    built = mkdtempSync(join(tmpdir(), 'express-hangup-loaded-'));
    buildSync({
      entryPoints: sources.map(({ module }) => join(src, `${module}.ts`)),
      outbase: src,
      outdir: built,
      format: 'cjs',
      target: 'es2022',
    });
  });

  afterAll(() => rmSync(built, { recursive: true, force: true }));

  function load(module: string): Loaded {
    const args = ['-e', WHAT_LOADING_DOES, join(built, module)];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Loaded;
  }

  it.each([
    'index',
    'proxy/index',
    'upstream/index',
    'diagnose/index',
    'testing/index',
    'eslint/index',
    ...DATABASES,
  ])('opens nothing, listens to nothing and leaves no global: %s', (module) => {
    expect(load(module)).toMatchObject({ resources: [], listeners: [], globals: [] });
  });

  it.each(['index', 'proxy/index', 'upstream/index', 'diagnose/index', ...DATABASES])(
    'brings in no part of Node that an app may do without: %s',
    (module) => {
      const { builtins } = load(module);
      const costly = [
        'http2',
        'inspector',
        'worker_threads',
        'child_process',
        'vm',
        'cluster',
        'sqlite',
        'repl',
      ];
      expect(builtins.filter((name) => costly.includes(name))).toEqual([]);
    },
  );
});

describe('test titles', () => {
  const titles = filesOf(__dirname, '.test.ts')
    .filter((path) => !path.startsWith('fixtures/'))
    .flatMap((path) => titlesOf(parse(join(__dirname, path))).map((title) => ({ title, path })));

  it('are found', () => {
    expect(titles.length).toBeGreaterThan(100);
  });

  it('are unique in the whole suite, together with the name of their group', () => {
    const places = new Map<string, string[]>();
    for (const { title, path } of titles) places.set(title, [...(places.get(title) ?? []), path]);
    expect([...places].filter(([, paths]) => paths.length > 1)).toEqual([]);
  });

  it('say what is, not what ought to be', () => {
    expect(titles.filter(({ title }) => /(^|> )(it )?should\b/i.test(title))).toEqual([]);
  });
});

/** The full titles of a file's tests. A title that is put together at run time counts as it is written. */
function titlesOf(file: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node, groups: string[]): void => {
    const call = ts.isCallExpression(node) ? node : undefined;
    const kind = call && /^(describe|it|test)\b/.exec(call.expression.getText(file))?.[1];
    const first = call?.arguments[0];
    const isTitled =
      call !== undefined && kind !== undefined && first !== undefined && call.arguments.length > 1;
    const name = isTitled ? (ts.isStringLiteralLike(first) ? first.text : first.getText(file)) : undefined;
    if (name !== undefined && kind !== 'describe') found.push([...groups, name].join(' > '));
    const inside = name !== undefined && kind === 'describe' ? [...groups, name] : groups;
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(file, []);
  return found;
}

it('each test file stands where its subject stands', () => {
  const rooms = new Set(sources.map(({ module }) => roomOf(module)));
  const known = new Set([...rooms, 'fix', 'fixtures', 'package', 'example-app']);
  const strangers = filesOf(__dirname, '.test.ts').filter(
    (path) => path.includes('/') && !known.has(roomOf(path)),
  );
  expect(strangers.map((path) => relative(__dirname, join(__dirname, path)))).toEqual([]);
});
