import { packedProject, runNode } from './packed-project';

interface Subpath {
  names: string[];
  missing: string[];
  doubled: string[];
}

describe('the installed package', () => {
  it.each(['', '/proxy', '/upstream', '/pg', '/mysql2', '/diagnose', '/testing', '/eslint'])(
    'is one copy for import and require: express-hangup%s',
    (subpath) => {
      const found = JSON.parse(runNode(['node/subpaths.cjs'])) as Record<string, Subpath>;
      expect(found[subpath]?.names).not.toEqual([]);
      expect(found[subpath]).toMatchObject({ missing: [], doubled: [] });
    },
  );

  it('has its names for a static ESM import', () => {
    const { types, isSame } = JSON.parse(runNode(['node/named-imports.mjs'])) as {
      types: Record<string, string>;
      isSame: boolean;
    };
    expect(new Set(Object.values(types))).toEqual(new Set(['function']));
    expect(isSame).toBe(true);
  });

  it.each(['express', 'express4'])('shares its state between import and require in one %s app', (express) => {
    expect(JSON.parse(runNode(['node/gateway.cjs', express]))).toMatchObject({
      state: { signal: true, timeout: 25_000 },
      status: 504,
      fault: { status: 504, code: 'DEADLINE_EXCEEDED' },
    });
  });

  it('has one lifetime for a request, whichever entry points share it, and hears its client leave', () => {
    const seen = JSON.parse(runNode(['node/one-lifetime.cjs'])) as Record<string, unknown>;
    expect(seen).toEqual({
      '/upstream/0': 'DEADLINE_EXCEEDED',
      '/upstream/0 is answered': 504,
      '/upstream/1': 'DEADLINE_EXCEEDED',
      '/upstream/1 is answered': 504,
      '/propagated': 'DEADLINE_EXCEEDED',
      '/propagated is answered': 504,
      '/leave': 'CLIENT_CLOSED_REQUEST',
    });
  });

  it('names its own functions in a stack trace, with and without source maps', () => {
    const code = `try { require('express-hangup').hangup({ deadlin: 1 }) } catch (error) { console.log(error.stack) }`;
    for (const flags of [[], ['--enable-source-maps']]) {
      const stack = runNode([...flags, '-e', code]);
      expect(stack).toContain('Did you mean "deadline"?');
      expect(stack).toMatch(/at (?:\w+\.)?hangup \(.*express-hangup\/dist\/core\.js:\d{2,}:\d{1,3}\)/);
    }
  });

  it.each(['conformance', 'demo', 'fix', 'rollout'])('has the command %s', (command) => {
    const cli = 'node_modules/express-hangup/dist/cli.js';
    expect(runNode([cli, command, '--help'])).toMatch(new RegExp(`^Usage: .*express-hangup ${command}`));
  });

  it.each(['express-hangup/dist/index.js', 'express-hangup/dist/core.js', 'express-hangup/src/index.ts'])(
    'keeps its inner files to itself: %s',
    (path) => {
      const load = `try { require('${path}') } catch (error) { console.log(error.code) }`;
      expect(runNode(['-e', load]).trim()).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
    },
  );

  it('shows its package.json to tools', () => {
    expect(runNode(['-p', 'require("express-hangup/package.json").name']).trim()).toBe('express-hangup');
  });

  it('lets a process end that has only loaded it', () => {
    const load = `for (const path of ['', '/proxy', '/upstream', '/pg', '/mysql2', '/diagnose', '/testing', '/eslint']) require('express-hangup' + path)`;
    expect(
      runNode(['-e', `${load}; process.on('exit', () => console.log('ended'))`], packedProject().dir),
    ).toBe('ended\n');
  });
});
