// The filter of docs/works-with.md, on a real Nest app.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import * as hangupPackage from 'express-hangup';
import ts from 'typescript';
import { gate, uncaught, Wire } from './wire.mjs';

/** The class as it stands in the document. */
function filterOfDocument() {
  const page = readFileSync(new URL('../../../docs/works-with.md', import.meta.url), 'utf8');
  const section = page.slice(page.indexOf('## NestJS'));
  const code = /```ts\n([^]*?)```/.exec(section)[1];
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      experimentalDecorators: true,
    },
  });
  const packages = { '@nestjs/common': common, '@nestjs/core': core, 'express-hangup': hangupPackage };
  const exports = {};
  new Function('require', 'exports', outputText)((name) => packages[name], exports);
  return exports.GatewayFilter;
}

class Routes {
  ok() {
    return { ok: true };
  }
  reset() {
    throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  }
  late(req) {
    return new Promise((resolve, reject) => {
      req.signal.addEventListener('abort', () => setTimeout(() => reject(req.signal.reason), 100));
    });
  }
  silent() {
    return new Promise(() => undefined);
  }
  missing() {
    throw new common.NotFoundException('no such thing');
  }
  left(req) {
    Routes.arrived.open(req);
    return new Promise((resolve, reject) =>
      req.signal.addEventListener('abort', () => reject(req.signal.reason)),
    );
  }
}
Routes.arrived = gate();
for (const name of ['ok', 'reset', 'late', 'silent', 'missing', 'left']) {
  common.Get(name)(Routes.prototype, name, Object.getOwnPropertyDescriptor(Routes.prototype, name));
  common.Req()(Routes.prototype, name, 0);
}
common.Controller()(Routes);

class AppModule {}
common.Module({ controllers: [Routes] })(AppModule);

async function nest(t, { hasFilter = true } = {}) {
  const app = await core.NestFactory.create(AppModule, { logger: false });
  app.use(hangupPackage.hangup({ deadline: 200, grace: 20 }));
  if (hasFilter) app.useGlobalFilters(new (filterOfDocument())(app.getHttpAdapter()));
  await app.listen(0, '127.0.0.1');
  t.after(() => app.close());
  return app.getHttpServer().address().port;
}

test("Nest with the document's filter: faults are 502 and 504, Nest's own exceptions stay Nest's", async (t) => {
  const errors = uncaught(t);
  const port = await nest(t);
  const wire = await Wire.connect(port);
  const answers = {};
  for (const path of ['/ok', '/reset', '/missing', '/late', '/silent', '/ok']) {
    const { status, complete, body } = await wire.get(path).response();
    assert.equal(complete, true, path);
    answers[path] = [status, JSON.parse(body).code ?? JSON.parse(body).message];
  }
  assert.deepEqual(answers, {
    '/ok': [200, undefined],
    '/reset': [502, 'UPSTREAM_RESET'],
    '/missing': [404, 'no such thing'],
    '/late': [504, 'DEADLINE_EXCEEDED'],
    '/silent': [504, 'DEADLINE_EXCEEDED'],
  });
  wire.close();
  assert.deepEqual(errors, []);
});

test('Nest without a filter: a deadline is 504 without its details, a fault of an upstream 500', async (t) => {
  const errors = uncaught(t);
  const wire = await Wire.connect(await nest(t, { hasFilter: false }));
  const answers = {};
  for (const path of ['/late', '/silent', '/reset', '/missing', '/ok']) {
    const { status, complete, body } = await wire.get(path).response();
    assert.equal(complete, true, path);
    answers[path] = [status, JSON.parse(body).message];
  }
  assert.deepEqual(answers, {
    '/late': [504, 'Gateway Timeout'],
    '/silent': [504, 'Gateway Timeout'],
    '/reset': [500, 'Internal server error'],
    '/missing': [404, 'no such thing'],
    '/ok': [200, undefined],
  });
  wire.close();
  assert.deepEqual(errors, []);
});

test("Nest with the document's filter: a client that leaves is 499, and ends nothing else", async (t) => {
  const errors = uncaught(t);
  const port = await nest(t);
  const wire = (await Wire.connect(port)).get('/left');
  const { res } = await Routes.arrived.promise;
  const closed = new Promise((resolve) => res.on('close', resolve));
  wire.close();
  await closed;
  await new Promise(setImmediate);
  assert.equal(res.statusCode, 499);
  assert.deepEqual(errors, []);
});
