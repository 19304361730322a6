// Apps that put something of their own in the place of a request, a response, or what these inherit from.
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { expresses, gate, Wire } from './wire.mjs';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/** A Proxy as an app writes it that wants to see calls: methods run on the object itself, since Node needs that. */
function wrapped(object) {
  return new Proxy(object, {
    get(target, key) {
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}

const guard = () => hangup({ deadline: 100, grace: 0 });

/** How the app is set up: each gives where its routes belong, and how the server calls it. */
const WRAPPINGS = {
  'a Proxy of both around the app': (express) => {
    const app = express().use(guard());
    return { app, routes: app, handle: (req, res) => app(wrapped(req), wrapped(res)) };
  },
  'a Proxy of both for a router that has hangup()': (express) => {
    const [app, routes] = [express(), express.Router()];
    app.use((req, res, next) => routes(wrapped(req), wrapped(res), next));
    routes.use(guard());
    return { app, routes, handle: app };
  },
  'a Proxy of both for a router behind hangup()': (express) => {
    const [app, routes] = [express(), express.Router()];
    app.use(guard(), (req, res, next) => routes(wrapped(req), wrapped(res), next));
    return { app, routes, handle: app };
  },
  'a Proxy of the request alone': (express) => {
    const [app, routes] = [express(), express.Router()];
    app.use((req, res, next) => routes(new Proxy(req, {}), res, next));
    routes.use(guard());
    return { app, routes, handle: app };
  },
  'app.request and app.response that are extended after hangup()': (express) => {
    const app = express().use(guard());
    app.request = Object.create(app.request);
    app.response = Object.create(app.response);
    return { app, routes: app, handle: app };
  },
  "a class of the app's between a response and express.response": (express) => {
    class Response extends http.ServerResponse {}
    const app = express().use(guard());
    Object.setPrototypeOf(Response.prototype, app.response);
    app.response = Response.prototype;
    return { app, routes: app, handle: app };
  },
  'prototypes that a middleware puts in front for each request': (express) => {
    const app = express().use(guard(), (req, res, next) => {
      for (const object of [req, res]) {
        Object.setPrototypeOf(object, Object.create(Object.getPrototypeOf(object)));
      }
      next();
    });
    return { app, routes: app, handle: app };
  },
  'an app of the other version of Express that is mounted, hangup() in the outer one': (express, other) => {
    const [app, routes] = [express().use(guard()), other()];
    app.use(routes);
    return { app, routes, handle: app };
  },
  'an app of the other version of Express that is mounted, hangup() in the inner one': (express, other) => {
    const [app, routes] = [express(), other().use(guard())];
    app.use(routes);
    return { app, routes, handle: app };
  },
  'hangup() in both of two apps of different versions': (express, other) => {
    const [app, routes] = [express().use(guard()), other().use(guard())];
    app.use(routes);
    return { app, routes, handle: app };
  },
  'a tracer that replaces express.response.end': (express, _other, t) => {
    const before = Object.getOwnPropertyDescriptor(express.response, 'end');
    const { end } = express.response;
    express.response.end = function (...args) {
      return end.apply(this, args);
    };
    t.after(() => {
      delete express.response.end;
      if (before) Object.defineProperty(express.response, 'end', before);
    });
    const app = express().use(guard());
    return { app, routes: app, handle: app };
  },
};

for (const [version, express] of expresses) {
  const [, other] = expresses.find(([name]) => name !== version);
  for (const [wrapping, setUp] of Object.entries(WRAPPINGS)) {
    test(`${wrapping}, on ${version}: answers, departures and late answers are told apart`, async (t) => {
      const { app, routes, handle } = setUp(express, other, t);
      const [late, arrived, gone] = [gate(), gate(), gate()];
      routes.get('/ok', (req, res) =>
        res.json({ inTime: !req.signal.aborted && req.deadline.remaining() > 0 }),
      );
      routes.get('/late', (req, res) => {
        req.signal.addEventListener('abort', () => late.open({ code: req.signal.reason.code, res }));
      });
      routes.get('/leave', (req) => {
        req.signal.addEventListener('abort', () => gone.open(req.signal.reason.code));
        arrived.open();
      });
      for (const it of new Set([routes, app])) it.use(gatewayErrorHandler());
      app.set('env', 'test');
      const server = http.createServer(handle).listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => server.close().closeAllConnections());
      const wire = await Wire.connect(server.address().port);
      const ask = async (path) => {
        const { status, body } = await wire.get(path).response();
        return `${status} ${status === 200 ? body : JSON.parse(body).code}`;
      };
      assert.equal(await ask('/ok'), '200 {"inTime":true}');
      assert.equal(await ask('/late'), '504 DEADLINE_EXCEEDED');
      const { code, res } = await late.promise;
      assert.equal(code, 'DEADLINE_EXCEEDED');
      res.json({ late: true });
      assert.equal(await ask('/ok'), '200 {"inTime":true}', 'the next response is not the late one');
      wire.get('/leave');
      await arrived.promise;
      wire.close();
      assert.equal(await gone.promise, 'CLIENT_CLOSED_REQUEST');
    });
  }

  test(`each lifetime is destroyed for a hook of node:async_hooks, on ${version}`, async (t) => {
    const alive = new Set();
    const hook = createHook({
      init: (id, type) => type === 'express-hangup' && alive.add(id),
      destroy: (id) => alive.delete(id),
    }).enable();
    t.after(() => hook.disable());
    const app = express().use(hangup());
    let most = 0;
    app.get('/', (req, res) => {
      most = Math.max(most, alive.size);
      res.end();
    });
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close().closeAllConnections());
    const wire = await Wire.connect(server.address().port);
    for (let i = 0; i < 200; i += 1) await wire.get('/').response();
    wire.close();
    assert.ok(most > 0);
    // Node tells it when the resource has been garbage-collected.
    while (alive.size > 0) {
      gc();
      await new Promise(setImmediate);
    }
  });
}
