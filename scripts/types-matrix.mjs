// Compiles a user's program against the types of Express 4 and 5 and of each supported Node, in TypeScript's common module
// systems, with every declaration file checked. Needs the network (npm) and a build: `npm run build && node scripts/types-matrix.mjs`.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

const EXPRESS = ['4', '5'];
const NODE = ['20', '22', '24', '26'];

/** Which files the compiler reads, and how it finds modules. */
const projects = {
  node16: { files: ['consumer.cts', 'consumer.mts'], module: 'node16' },
  bundler: { files: ['consumer.ts'], module: 'esnext', moduleResolution: 'bundler' },
};

let failures = 0;
for (const express of EXPRESS) {
  for (const node of NODE) {
    const directory = makeProject(express, node);
    for (const [name, { files, ...resolution }] of Object.entries(projects)) {
      const title = `@types/express ${versionOf(directory, 'express')}, @types/node ${versionOf(directory, 'node')}, ${name}`;
      console.log(`${compile(directory, name, files, resolution) ? 'ok  ' : 'FAIL'} ${title}`);
    }
  }
}
console.log(
  `${EXPRESS.length * NODE.length * Object.keys(projects).length - failures} passed, ${failures} failed`,
);
process.exitCode = failures === 0 ? 0 : 1;

function makeProject(express, node) {
  const directory = join(root, '.cache', 'types', `express-${express}-node-${node}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const dependencies = { '@types/express': `^${express}.0.0`, '@types/node': `^${node}.0.0` };
  // All packages that depend on @types/node get this version, and no newer one beside it.
  const overrides = { '@types/node': `$@types/node` };
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, dependencies, overrides }));
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: directory,
    stdio: 'inherit',
  });
  // The package's files as real files, because types are looked up from their real path.
  const installed = join(directory, 'node_modules/express-hangup');
  mkdirSync(installed);
  for (const part of ['dist', 'package.json'])
    cpSync(join(root, part), join(installed, part), { recursive: true });
  for (const ending of ['ts', 'cts', 'mts']) {
    cpSync(
      join(root, '__tests__/fixtures/projects/typescript/consumer.ts'),
      join(directory, `consumer.${ending}`),
    );
  }
  symlinkSync(join(root, 'node_modules/express'), join(directory, 'node_modules/express'), 'dir');
  return directory;
}

function versionOf(directory, name) {
  return JSON.parse(readFileSync(join(directory, 'node_modules/@types', name, 'package.json'), 'utf8'))
    .version;
}

function compile(directory, name, files, resolution) {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022'],
    types: ['node'],
    strict: true,
    esModuleInterop: true,
    skipLibCheck: false,
    noEmit: true,
    ...resolution,
  };
  writeFileSync(join(directory, `tsconfig.${name}.json`), JSON.stringify({ compilerOptions, files }));
  try {
    execFileSync(process.execPath, [tsc, '-p', `tsconfig.${name}.json`], {
      cwd: directory,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    return true;
  } catch {
    failures += 1;
    return false;
  }
}
