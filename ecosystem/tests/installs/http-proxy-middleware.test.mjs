// hangupProxy() beside each major version of http-proxy-middleware: 2 is refused in words, 3 and 4 are not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { hangupProxy } from 'express-hangup/proxy';

const require = createRequire(import.meta.url);
const target = 'http://127.0.0.1:1';

test('http-proxy-middleware 2 is refused at start-up by an error that names its version and those that fit', () => {
  const { createProxyMiddleware } = require('http-proxy-middleware2');
  const manifest = new URL('../../node_modules/http-proxy-middleware2/package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  assert.match(version, /^2\./);
  const message = new RegExp(
    `^Error: hangupProxy\\(\\) needs http-proxy-middleware 3 or 4, but .* ${version.replaceAll('.', '\\.')}\\. Run "npm`,
  );
  assert.throws(() => createProxyMiddleware(hangupProxy({ target })), message);
  assert.throws(() => createProxyMiddleware('/api', hangupProxy({ target })), message);
  assert.throws(() => createProxyMiddleware({ ...hangupProxy({ target }), changeOrigin: true }), message);
});

test('http-proxy-middleware 3 is not refused, its legacy entry included, and hears the own logProvider there', () => {
  const { createProxyMiddleware, legacyCreateProxyMiddleware } = require('http-proxy-middleware3');
  assert.equal(typeof createProxyMiddleware(hangupProxy({ target })), 'function');
  let isHeard = false;
  const logger = { info() {}, warn() {}, error() {} };
  const logProvider = () => ((isHeard = true), logger);
  assert.equal(typeof legacyCreateProxyMiddleware(hangupProxy({ target, logProvider })), 'function');
  assert.equal(isHeard, true);
  assert.equal(typeof legacyCreateProxyMiddleware(hangupProxy({ target })), 'function');
});

test('http-proxy-middleware 4 is not refused', async (t) => {
  let loaded;
  try {
    loaded = await import('http-proxy-middleware');
  } catch (error) {
    t.skip(`http-proxy-middleware 4 does not load on Node ${process.version}: ${error.message}`);
    return;
  }
  assert.equal(typeof loaded.createProxyMiddleware(hangupProxy({ target })), 'function');
});
