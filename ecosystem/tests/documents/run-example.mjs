// Runs a block of a document as a file of the reader's app would run it, and asks the paths that it mounts.
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { createRequire } from 'node:module';
import express from 'express';
import { translate } from './blocks.mjs';
import { GIVEN, startDatabase, startService, stopped } from './world.mjs';

const require = createRequire(import.meta.url);
const AsyncFunction = (async () => undefined).constructor;

/** The services that the documents name, all played by one. */
const SERVICES = /http:\/\/(?:127\.0\.0\.1:300[12]|(?:offers|api|spare|users):300[01])/g;

/** Gives the statuses of the paths that the example mounts. */
export async function runExample(t, { code, given }) {
  const world = await createWorld(t);
  const names = { ...(await valuesOf(world, given)), app: world.app, console: { log() {}, warn() {} } };
  const text = `{ ${translate(code.replaceAll(SERVICES, world.service))} }`;
  const packages = { express: world.express, ...packagesOf(t) };
  const load = (name) => packages[name] ?? require(name);
  const run = (more) => {
    const all = { ...require('express-hangup'), ...names, ...more };
    return new AsyncFunction('require', 'exports', 'module', ...Object.keys(all), text)(
      load,
      {},
      { exports: {} },
      ...Object.values(all),
    );
  };
  if (!given.includes('req')) {
    await run({});
    return askAll(world, pathsOf(code));
  }
  world.app.get('/example', async (req, res) => {
    await run({ req, res });
    if (!res.headersSent) res.end();
  });
  return askAll(world, [['get', '/example']]);
}

async function createWorld(t) {
  keepSignals(t);
  const world = { t, service: await startService(t) };
  process.env.DATABASE_URL = await startDatabase(t);
  world.newApp = () => {
    const app = express();
    app.set('env', 'test');
    app.listen = () => {
      world.app = app;
      return (world.server = createServer(app).listen(0, '127.0.0.1'));
    };
    return app;
  };
  world.express = Object.assign(() => (world.app = world.newApp()), express);
  world.app = world.newApp();
  world.app.use(require('express-hangup').hangup());
  return world;
}

function keepSignals(t) {
  const before = process.listeners('SIGTERM');
  t.after(() => {
    for (const listener of process.listeners('SIGTERM')) {
      if (!before.includes(listener)) process.off('SIGTERM', listener);
    }
  });
}

async function valuesOf(world, given) {
  const values = {};
  for (const name of given) {
    if (!(name in GIVEN)) throw new Error(`world.mjs has no ${name} to give to the example`);
    values[name] = await GIVEN[name](world);
  }
  return values;
}

/** Packages whose effect on the process is taken back. */
function packagesOf(t) {
  const subscribe = (name, listener) => {
    diagnostics.subscribe(name, listener);
    t.after(() => diagnostics.unsubscribe(name, listener));
  };
  const dispatcher = require('undici').getGlobalDispatcher();
  t.after(() => require('undici').setGlobalDispatcher(dispatcher));
  const pg = require('pg');
  class Pool extends pg.Pool {
    constructor(...settings) {
      super(...settings);
      t.after(() => this.end());
    }
  }
  return {
    pg: { ...pg, Pool },
    'node:diagnostics_channel': { ...diagnostics, subscribe },
    'express-hangup/diagnose': { ...require('express-hangup/diagnose'), diagnose: stopped(t) },
  };
}

function pathsOf(code) {
  return [...code.matchAll(/\bapp\.(get|post|use)\('(\/[^']*)'/g)].map(([, method, path]) => [method, path]);
}

async function askAll(world, paths) {
  const server = world.server ?? createServer(world.app).listen(0, '127.0.0.1');
  if (!server.listening) await once(server, 'listening');
  world.t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const statuses = {};
  for (const [method, path] of paths) {
    // Not by fetch(): the page of diagnose() refuses whose header names are in small letters.
    const asked = request({
      ...{ host: '127.0.0.1', port: server.address().port, path: path.replace(/:\w+/g, '7') },
      method: method === 'post' ? 'POST' : 'GET',
    }).end();
    const [response] = await once(asked, 'response');
    await once(response.resume(), 'end');
    statuses[path] = response.statusCode;
  }
  return statuses;
}
