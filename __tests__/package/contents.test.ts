import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { packedProject, root } from './packed-project';

interface Manifest {
  dependencies?: object;
  exports: Record<string, string | { types: string; default: string }>;
  typesVersions: { '*': Record<string, string[]> };
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
  scripts: Record<string, string>;
}

/** The files that `diagnose()` serves: copied, not compiled. */
const PAGE = 'diagnose/page/browser';

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(packedProject().installed, 'package.json'), 'utf8')) as Manifest;
}

function paths(): string[] {
  return packedProject().tarball.files.map((file) => file.path);
}

/** What every user's `import` or `require()` can name, each a file of code and one of types. */
const SUBPATHS = ['index', 'proxy', 'upstream', 'pg', 'mysql2', 'diagnose', 'testing', 'eslint'];

/** Code that several of them load, or that is loaded when it is first needed. */
const PARTS = [
  ...['core', 'propagate', 'databases', 'testing-kit', 'eslint-rules', 'cli'],
  ...['command-parts', 'command-conformance', 'command-demo', 'command-fix', 'command-rollout'],
  ...['cli/demo/serve-app', 'cli/demo/apps/plain', 'cli/demo/apps/snippet', 'cli/demo/apps/ours'],
];

function read(path: string): string {
  return readFileSync(join(packedProject().installed, path), 'utf8');
}

describe('what the tarball holds', () => {
  it('is a file of code for each part, and for the types those that a user can name', () => {
    const built = paths().filter((path) => path.startsWith('dist/') && !path.startsWith(`dist/${PAGE}/`));
    const code = built.filter((path) => path.endsWith('.js'));
    expect(code.sort()).toEqual([...SUBPATHS, ...PARTS].map((name) => `dist/${name}.js`).sort());
    const types = built.filter((path) => !path.endsWith('.js'));
    expect(types.filter((path) => !path.startsWith('dist/shared-')).sort()).toEqual(
      SUBPATHS.map((name) => `dist/${name}.d.ts`).sort(),
    );
  });

  it('is the files of the page', () => {
    const served = readdirSync(join(root, 'src', PAGE)).filter((name) => /\.(html|css|svg|js)$/.test(name));
    expect(served.length).toBeGreaterThan(5);
    const packed = paths().filter((path) => path.startsWith(`dist/${PAGE}/`));
    expect(packed.sort()).toEqual(served.map((name) => `dist/${PAGE}/${name}`).sort());
  });

  it('has every file of its own that its code and its types name', () => {
    const named = paths()
      .filter((path) => /^dist\/.*\.(js|d\.ts)$/.test(path))
      .flatMap((path) =>
        [...read(path).matchAll(/(?:require\(|from )["'](\.[^"']+)["']/g)].map(([, to = '']) =>
          posix.join(posix.dirname(path), /\.d\.ts$/.test(path) ? to.replace(/\.js$/, '.d.ts') : to),
        ),
      );
    expect(named.length).toBeGreaterThan(20);
    const files = new Set(paths().flatMap((path) => [path, path.replace(/\.js$/, '')]));
    expect(named.filter((path) => !files.has(path))).toEqual([]);
  });

  it('holds what must be single in one file: the private fields, the contexts, the registries', () => {
    const code = paths().filter((path) => /^dist\/[\w-]+\.js$/.test(path));
    for (const single of [
      /^function privateField\b/m,
      /^class Lifetime\b/m,
      /^const channels = /m,
      /^class Traffic\b/m,
    ])
      expect([String(single), code.filter((path) => single.test(read(path)))]).toEqual([
        String(single),
        ['dist/core.js'],
      ]);
  });

  it('is the documents that a user reads, and the licence', () => {
    expect(paths()).toEqual(
      expect.arrayContaining([
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'package.json',
        'docs/errors.md',
        'docs/reference.md',
      ]),
    );
  });

  it('is the documents that the README says it has, beside those that it says are in the source tree', () => {
    const [, sentence = ''] = /\nOf `docs\/` the npm package holds (.*);/.exec(read('README.md')) ?? [];
    const named = [...sentence.matchAll(/\]\((docs\/[^)]+)\)/g)].map(([, path]) => path);
    expect(named.sort()).toEqual(paths().filter((path) => path.startsWith('docs/')));
  });

  it('is nothing else', () => {
    const known =
      /^(dist\/.+\.(js|d\.ts)|dist\/diagnose\/page\/browser\/\w+\.(html|css|svg)|docs\/(errors|reference)\.md|(README|CHANGELOG|CONTRIBUTING|SECURITY)\.md|LICENSE|package\.json)$/;
    expect(paths().filter((path) => !known.test(path))).toEqual([]);
  });

  it('is small', () => {
    const { size, unpackedSize, files } = packedProject().tarball;
    expect(files.length).toBeLessThanOrEqual(150);
    expect(size).toBeLessThan(300_000);
    expect(unpackedSize).toBeLessThanOrEqual(900_000);
  });

  it('names no machine and no directory of its makers', () => {
    const naming = paths().filter((path) => /\/(work|tmp|home|root)\//.test(read(path)));
    expect(naming).toEqual([]);
  });
});

describe('the manifest', () => {
  it('asks for no runtime dependency', () => {
    expect(manifest().dependencies ?? {}).toEqual({});
    expect(existsSync(join(packedProject().installed, 'node_modules'))).toBe(false);
  });

  it('makes every peer optional, in any version: none is a reason for npm to refuse', () => {
    const { peerDependencies, peerDependenciesMeta } = manifest();
    expect(new Set(Object.values(peerDependencies))).toEqual(new Set(['*']));
    for (const peer of Object.keys(peerDependencies))
      expect(peerDependenciesMeta[peer]).toEqual({ optional: true });
  });

  it('runs nothing when it is installed', () => {
    expect(Object.keys(manifest().scripts)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$|^prepare$/)]),
    );
  });

  it('exports the entry points of the contract, each with a file and types behind it', () => {
    const { exports } = manifest();
    const entries = ['.', './diagnose', './eslint', './mysql2', './pg', './proxy', './testing', './upstream'];
    expect(Object.keys(exports).sort()).toEqual([...entries, './package.json'].sort());
    for (const entry of entries) {
      const target = exports[entry];
      if (typeof target !== 'object') throw new Error(`${entry} has no conditions`);
      // Conditions are tried in order: types that come second are never found.
      expect(Object.keys(target)).toEqual(['types', 'default']);
      for (const file of Object.values(target)) {
        expect(existsSync(join(packedProject().installed, file))).toBe(true);
      }
    }
  });

  it('tells node10 resolution where the types of each subpath are', () => {
    const { exports, typesVersions } = manifest();
    for (const [entry, target] of Object.entries(exports)) {
      if (typeof target === 'string' || entry === '.') continue;
      expect(typesVersions['*'][entry.slice(2)]).toEqual([target.types]);
    }
  });
});
