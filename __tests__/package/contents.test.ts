import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** Every module of `src`, without its ending. */
function modules(): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .map((path) => path.replaceAll('\\', '/').replace(/\.ts$/, ''));
}

describe('what the tarball holds', () => {
  it('is the build of each source file, with its types, the files of the page, and no other build', () => {
    const built = paths().filter((path) => path.startsWith('dist/'));
    const expected = modules().flatMap((module) => [`dist/${module}.js`, `dist/${module}.d.ts`]);
    const served = readdirSync(join(root, 'src', PAGE)).filter((name) => /\.(html|css|svg|js)$/.test(name));
    expect(served.length).toBeGreaterThan(5);
    expected.push(...served.map((name) => `dist/${PAGE}/${name}`));
    expect(built.sort()).toEqual(expected.sort());
  });

  it('is the documents that a user reads, and the licence', () => {
    expect(paths()).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json', 'docs/errors.md']),
    );
  });

  it('is nothing else', () => {
    const known =
      /^(dist\/.+\.(js|d\.ts)|dist\/diagnose\/page\/browser\/\w+\.(html|css|svg)|docs\/(rules\/)?[\w-]+\.md|(README|CHANGELOG|CONTRIBUTING|SECURITY)\.md|LICENSE|package\.json)$/;
    expect(paths().filter((path) => !known.test(path))).toEqual([]);
  });

  it('is small', () => {
    const { size, unpackedSize } = packedProject().tarball;
    expect(size).toBeLessThan(600_000);
    expect(unpackedSize).toBeLessThan(2_000_000);
  });

  it('names no machine and no directory of its makers', () => {
    const { installed } = packedProject();
    const naming = paths().filter((path) =>
      /\/(work|tmp|home|root)\//.test(readFileSync(join(installed, path), 'utf8')),
    );
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
