// "Next.js" of docs/works-with.md: an app that is built once, behind the custom server of the document.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { blocksOf, runSection } from './page.mjs';
import { expresses, gate, uncaught, Wire } from './wire.mjs';

const HEADING = 'Next.js';
const ECOSYSTEM = join(import.meta.dirname, '../..');
const ROOT = join(ECOSYSTEM, '..');
const [, config, gateway] = blocksOf(HEADING);

/** The app's folder. It lies below the packages of this folder, where Next looks for React. */
let dir;

/** Next itself, for all tests: it cannot be started a second time in a process. */
let pages;
let prepared;

/** What the app's handlers wait for: they run in this process. */
const world = (globalThis.world = {});

before(async () => {
  process.env.NODE_ENV = 'production';
  process.env.NEXT_TELEMETRY_DISABLED = '1';
  mkdirSync(join(ECOSYSTEM, '.cache'), { recursive: true });
  dir = mkdtempSync(join(ECOSYSTEM, '.cache/next-'));
  cpSync(join(import.meta.dirname, 'next-app'), dir, { recursive: true });
  writeFileSync(join(dir, 'next.config.mjs'), config);
  writeFileSync(join(dir, 'app/gateway.js'), gateway);
  // As npm installs it: Next takes a link that leads out of the project for a part of the app.
  const installed = join(dir, 'node_modules/express-hangup');
  for (const part of ['package.json', 'dist'])
    cpSync(join(ROOT, part), join(installed, part), { recursive: true });
  const build = [join(ECOSYSTEM, 'node_modules/next/dist/bin/next'), 'build'];
  await promisify(execFile)(process.execPath, build, { cwd: dir });
  const next = createRequire(import.meta.url)('next');
  pages = next({ dir });
  prepared = pages.prepare();
  await prepared;
});

after(async () => {
  await pages.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Runs the document's server on a free port. A request names its deadline in a header, or has a minute. */
async function serve(t, express) {
  const appRequire = createRequire(join(dir, 'server.mjs'));
  const hangupPackage = appRequire('express-hangup');
  const listening = gate();
  const newApp = () => {
    const app = express();
    app.listen = () => listening.open(http.createServer(app).listen(0, '127.0.0.1'));
    return app;
  };
  const packages = {
    express: newApp,
    next: () => ({ getRequestHandler: () => pages.getRequestHandler(), prepare: () => prepared }),
    'express-hangup': {
      ...hangupPackage,
      hangup: (options) =>
        hangupPackage.hangup({ ...options, deadline: (req) => Number(req.headers['x-deadline'] ?? 60_000) }),
      deadline: (_ms, options) => hangupPackage.deadline(2000, options),
    },
  };
  runSection(HEADING, { require: (name) => packages[name] });
  const server = await listening.promise;
  if (!server.listening) await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return server.address().port;
}

/** A request for `path`, with its deadline in milliseconds where one is given. */
async function ask(port, path, deadlineMs) {
  const wire = await Wire.connect(port);
  return wire.get(path, deadlineMs === undefined ? '' : `X-Deadline: ${deadlineMs}\r\n`);
}

async function assertUsable(wire) {
  const { status, body } = await wire.get('/').response();
  assert.equal(status, 200);
  assert.match(body, /<h1>Hello<\/h1>/);
  assert.equal(wire.rest(), '');
}

/** Resolves once the signal has aborted. */
const aborted = async (signal) => signal.aborted || once(signal, 'abort');

for (const [version, express] of expresses) {
  test(`Next on ${version} behind the document's server renders its pages, and its own 404`, async (t) => {
    const port = await serve(t, express);
    await assertUsable(await Wire.connect(port));
    const { status, body } = await (await ask(port, '/nowhere')).response();
    assert.deepEqual([status, /This page could not be found/.test(body)], [404, true]);
    world.props = () => 'looked up';
    const page = await (await ask(port, '/props')).response();
    assert.equal(page.status, 200);
    assert.match(page.body, /<h1>looked up<\/h1>/);
  });

  for (const [kind, path, hook] of [
    ['a route handler', '/slow', 'slow'],
    ['getServerSideProps', '/props', 'props'],
  ]) {
    test(`Next on ${version}: ${kind} that is too slow is a 504, and what it says late is not sent`, async (t) => {
      const errors = uncaught(t);
      const port = await serve(t, express);
      const [started, work] = [gate(), gate()];
      world[hook] = (what) => {
        started.open(what.signal ?? what);
        return work.promise;
      };
      const wire = await ask(port, path, 300);
      const { status, complete, headers } = await wire.response();
      assert.deepEqual([status, complete], [504, true]);
      assert.match(headers['content-type'], /problem\+json/);
      const signal = await started.promise;
      assert.equal(signal.reason.code, 'DEADLINE_EXCEEDED');
      work.open('late');
      await assertUsable(wire);
      assert.deepEqual(errors, []);
    });

    test(`Next on ${version}: ${kind} hears of a client that leaves`, async (t) => {
      const errors = uncaught(t);
      const port = await serve(t, express);
      const [started, work] = [gate(), gate()];
      world[hook] = (what) => {
        started.open(what);
        return work.promise;
      };
      const leaving = await ask(port, path);
      const what = await started.promise;
      leaving.close();
      const signal = what.signal ?? what;
      await aborted(signal);
      assert.equal(signal.reason.code, 'CLIENT_CLOSED_REQUEST');
      if (what.own) await aborted(what.own);
      work.open('late');
      await assertUsable(await Wire.connect(port));
      assert.deepEqual(errors, []);
    });
  }

  test(`Next on ${version}: a fetch of a route handler ends at the deadline, and the 504 comes before Next's own 500`, async (t) => {
    const port = await serve(t, express);
    const cut = gate();
    const silent = http.createServer((req) => req.socket.on('close', cut.open)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => silent.close());
    world.upstream = `http://127.0.0.1:${silent.address().port}/`;
    const { status, body } = await (await ask(port, '/bare', 1000)).response();
    assert.equal(status, 504);
    assert.equal(JSON.parse(body).code, 'DEADLINE_EXCEEDED');
    await cut.promise;
  });

  test(`Next on ${version}: an upstream's reset in a wrapped route handler is a 502`, async (t) => {
    const port = await serve(t, express);
    const rude = http.createServer((req) => req.socket.destroy()).listen(0, '127.0.0.1');
    await once(rude, 'listening');
    t.after(() => rude.close());
    world.upstream = `http://127.0.0.1:${rude.address().port}/`;
    const { status, body } = await (await ask(port, '/call')).response();
    assert.deepEqual([status, JSON.parse(body)], [502, { code: 'UPSTREAM_RESET' }]);
  });

  test(`Next on ${version}: a page that streams meets its deadline with its first part`, async (t) => {
    const port = await serve(t, express);
    world.part = () => undefined;
    await (await ask(port, '/stream')).response();
    world.part = () => new Promise((resolve) => setTimeout(resolve, 2500));
    const { status, complete, body } = await (await ask(port, '/stream', 2000)).response();
    assert.deepEqual([status, complete], [200, true]);
    assert.match(body, /second part/);
  });

  test(`Next on ${version}: a page that streams and has to be complete by its deadline is cut`, async (t) => {
    const errors = uncaught(t);
    const port = await serve(t, express);
    world.part = () => undefined;
    assert.equal((await (await ask(port, '/report')).response()).complete, true);
    const work = gate();
    world.part = () => work.promise;
    const { status, complete, body } = await (await ask(port, '/report')).response();
    assert.deepEqual([status, complete], [200, false]);
    assert.match(body, /first part/);
    work.open();
    await assertUsable(await Wire.connect(port));
    assert.deepEqual(errors, []);
  });

  test(`Next on ${version}: a component of a page that streams hears of a client that leaves`, async (t) => {
    const errors = uncaught(t);
    const port = await serve(t, express);
    const [started, work] = [gate(), gate()];
    world.part = (signal) => {
      started.open(signal);
      return work.promise;
    };
    const leaving = await ask(port, '/stream');
    const signal = await started.promise;
    leaving.close();
    await aborted(signal);
    assert.equal(signal.reason.code, 'CLIENT_CLOSED_REQUEST');
    work.open();
    await assertUsable(await Wire.connect(port));
    assert.deepEqual(errors, []);
  });
}
