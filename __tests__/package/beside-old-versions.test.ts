import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { npm, packedProject, runNode } from './packed-project';

/** A project of its own with these dependencies, into which the tarball is installed by a plain `npm install`. */
function install(dependencies: Record<string, string>): string {
  const work = dirname(packedProject().dir);
  const dir = mkdtempSync(join(work, 'beside-'));
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'beside', private: true, dependencies }));
  npm(dir, 'install', '--no-audit', '--no-fund', join(work, packedProject().tarball.filename));
  return dir;
}

function versionIn(dir: string, name: string): string {
  const manifest = JSON.parse(readFileSync(join(dir, 'node_modules', name, 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

const OLD = { undici: '^6.0.0', 'http-proxy-middleware': '^2.0.0', express: '~4.18.0' };

describe('a plain npm install', () => {
  it.each<[name: string, dependencies: Record<string, string>]>([
    ['undici 6', { undici: OLD.undici }],
    ['http-proxy-middleware 2', { 'http-proxy-middleware': OLD['http-proxy-middleware'] }],
    ['Express 4.18', { express: OLD.express }],
    ['a prerelease of Express 5', { express: '5.0.0-beta.3' }],
    ['no partner at all', {}],
  ])('succeeds beside %s, and changes no version', (_name, dependencies) => {
    const dir = install(dependencies);
    for (const [partner, range] of Object.entries(dependencies)) {
      expect(versionIn(dir, partner)).toMatch(new RegExp(`^${range.slice(1).split('.')[0] ?? ''}`));
    }
    expect(runNode(['-p', 'typeof require("express-hangup").hangup()'], dir).trim()).toBe('function');
    rmSync(dir, { recursive: true });
  });
});

describe('a partner that is too old', () => {
  let dir: string;

  beforeAll(() => {
    dir = install(OLD);
  });

  function messageOf(code: string): string {
    return runNode(['-e', `try { ${code} } catch (error) { console.log(error.message) }`], dir);
  }

  it('is refused by upstream() in words that name both versions of undici', () => {
    const code = `require('express-hangup/upstream').upstream('http://127.0.0.1:1')`;
    expect(messageOf(code)).toMatch(
      new RegExp(`needs undici 7 or 8, but undici ${versionIn(dir, 'undici')} is installed`),
    );
  });

  it('is refused by hangupProxy() in words that name both versions of http-proxy-middleware', () => {
    const code = `const { createProxyMiddleware } = require('http-proxy-middleware');
      createProxyMiddleware(require('express-hangup/proxy').hangupProxy({ target: 'http://127.0.0.1:1' }))`;
    const version = versionIn(dir, 'http-proxy-middleware');
    expect(messageOf(code)).toMatch(new RegExp(`needs http-proxy-middleware 3 or 4, but .* ${version}\\.`));
  });

  it('is not Express 4.18, whose requests get their 504', () => {
    const code = `const app = require('express')().set('env', 'test');
      const { hangup, gatewayErrorHandler } = require('express-hangup');
      app.use(hangup({ deadline: 20, grace: 0 })).get('/', () => undefined).use(gatewayErrorHandler());
      const server = app.listen(0, '127.0.0.1', async () => {
        const answer = await fetch('http://127.0.0.1:' + server.address().port);
        console.log(answer.status, (await answer.json()).code);
        server.closeAllConnections();
        server.close();
      })`;
    expect(versionIn(dir, 'express')).toMatch(/^4\.18\./);
    expect(runNode(['-e', code], dir)).toBe('504 DEADLINE_EXCEEDED\n');
  });
});
