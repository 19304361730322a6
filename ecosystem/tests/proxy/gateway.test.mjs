// A gateway as people write it: hangupProxy() between sessions, compression and body parsers, seen from its clients.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';

const require = createRequire(import.meta.url);
const compression = require('compression');
const session = require('express-session');
const { WebSocket, WebSocketServer } = require('ws');
const { gatewayErrorHandler, hangup } = require('express-hangup');
const { hangupProxy } = require('express-hangup/proxy');

const servers = [];
after(() => {
  for (const server of servers) server.close().closeAllConnections();
});

async function serve(listener) {
  const server = http.createServer(listener);
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

/** The service behind the gateway. */
async function service(name = 'users') {
  const { server, url } = await serve(async (req, res) => {
    const { pathname } = new URL(req.url, 'http://any');
    if (pathname === '/reset') return req.socket.resetAndDestroy();
    if (pathname === '/silence') return undefined;
    if (pathname === '/half')
      return res.writeHead(200, { 'content-length': 100 }).write('half', () => req.socket.destroy());
    if (pathname === '/gzip')
      return res.setHeader('content-encoding', 'gzip').end(gzipSync('Hello from afar'));
    if (pathname === '/bad-gzip') return res.setHeader('content-encoding', 'gzip').end('no gzip at all');
    if (pathname === '/long') return res.setHeader('content-type', 'text/plain').end('long '.repeat(20_000));
    let body = '';
    for await (const chunk of req.setEncoding('utf8')) body += chunk;
    res.setHeader('content-type', 'application/json');
    return res.end(
      JSON.stringify({ name, method: req.method, url: req.url, body, user: req.headers['x-user'] }),
    );
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`${name}: ${data}`)));
  return url;
}

/** What the gateway logs of errors, and its address. */
async function gateway(express, hpm, mount) {
  const app = express();
  const errors = [];
  app.set('env', 'test');
  app.use(hangup({ deadline: 400 }));
  app.use(compression());
  app.use(session({ secret: 'any', resave: false, saveUninitialized: true }));
  const proxies = mount(app, (options) => hpm.createProxyMiddleware(hangupProxy(options)));
  app.use((error, _req, _res, next) => {
    errors.push(error);
    next(error);
  });
  app.use(gatewayErrorHandler());
  const { server, url } = await serve(app);
  for (const { upgrade } of [proxies ?? []].flat()) server.on('upgrade', upgrade);
  return { url, errors };
}

const stacks = ['http-proxy-middleware', 'http-proxy-middleware3'].flatMap((hpm) =>
  ['express', 'express4'].map((express) => [hpm, express]),
);

for (const [hpmName, expressName] of stacks) {
  describe(`a gateway with ${hpmName} and ${expressName}`, () => {
    const hpm = require(hpmName);
    const express = require(expressName);

    it('passes on requests under a rewritten path, with sessions and compression in front', async () => {
      const target = await service();
      const { url } = await gateway(express, hpm, (app, proxy) => {
        app.use('/api', proxy({ target, pathRewrite: { '^/old': '/new' } }));
      });

      const answer = await fetch(`${url}/api/old/7?a=1`);
      const long = await fetch(`${url}/api/long`, { headers: { 'accept-encoding': 'gzip' } });

      assert.match(answer.headers.get('set-cookie'), /^connect\.sid=/);
      assert.equal((await answer.json()).url, '/new/7?a=1');
      assert.equal(long.headers.get('content-encoding'), 'gzip');
      assert.equal((await long.text()).length, 100_000);
    });

    it('answers faults of the service by the error handlers: 502, 504, or a visible break', async () => {
      const target = await service();
      const { url, errors } = await gateway(express, hpm, (app, proxy) => {
        app.use('/api', proxy({ target }));
      });

      assert.equal((await fetch(`${url}/api/reset`)).status, 502);
      assert.equal((await fetch(`${url}/api/silence`)).status, 504);
      await assert.rejects(async () => (await fetch(`${url}/api/half`)).text());
      assert.equal(errors.length, 3);
      assert.equal((await fetch(`${url}/api/well`)).status, 200);
    });

    it('sends a body again that a parser has read, and says so where nobody does', async () => {
      const target = await service();
      const { url, errors } = await gateway(express, hpm, (app, proxy) => {
        app.use(express.json(), express.urlencoded({ extended: true }));
        app.use('/fixed', proxy({ target, on: { proxyReq: hpm.fixRequestBody } }));
        app.use('/eaten', proxy({ target }));
      });
      const post = (path, body, type) =>
        fetch(url + path, { method: 'POST', body, headers: { 'content-type': type } });

      const json = await post('/fixed/a', '{"a": 1}', 'application/json');
      const form = await post('/fixed/b', 'a=1&b=2', 'application/x-www-form-urlencoded');
      const eaten = await post('/eaten/c', '{"a": 1}', 'application/json');

      assert.equal((await json.json()).body, '{"a":1}');
      assert.equal((await form.json()).body, 'a=1&b=2');
      assert.equal(eaten.status, 500);
      assert.match(errors[0].message, /fixRequestBody/);
    });

    it('changes responses by an interceptor, and makes no 200 of what cannot be decoded', async () => {
      const target = await service();
      const { url } = await gateway(express, hpm, (app, proxy) => {
        const proxyRes = hpm.responseInterceptor(async (buffer) => buffer.toString().toUpperCase());
        app.use('/api', proxy({ target, selfHandleResponse: true, on: { proxyRes } }));
      });

      assert.equal(await (await fetch(`${url}/api/gzip`)).text(), 'HELLO FROM AFAR');
      assert.equal((await fetch(`${url}/api/bad-gzip`)).status, 502);
      assert.equal((await fetch(`${url}/api/reset`)).status, 502);
    });

    it('chooses the service by a router function, and hands what that throws to the error handlers', async () => {
      const [users, orders] = [await service('users'), await service('orders')];
      const { url, errors } = await gateway(express, hpm, (app, proxy) => {
        const router = async (req) => {
          if (req.headers['x-tenant'] === 'none') throw new Error('no such tenant');
          return req.headers['x-tenant'] === 'orders' ? orders : undefined;
        };
        app.use('/api', proxy({ target: users, router }));
      });
      const nameFor = async (tenant) => {
        const response = await fetch(`${url}/api/x`, { headers: { 'x-tenant': tenant } });
        return response.ok ? (await response.json()).name : response.status;
      };

      assert.equal(await nameFor('users'), 'users');
      assert.equal(await nameFor('orders'), 'orders');
      assert.equal(await nameFor('none'), 500);
      assert.deepEqual(
        errors.map(({ message }) => message),
        ['no such tenant'],
      );
    });

    it('upgrades to a WebSocket, and refuses where the service is gone', async () => {
      const target = await service();
      const { url } = await gateway(express, hpm, (app, proxy) => {
        const sockets = proxy({ target, ws: true, pathFilter: '/socket' });
        app.use(sockets);
        return sockets;
      });
      const client = new WebSocket(`${url.replace('http', 'ws')}/socket`);
      await once(client, 'open');
      client.send('hello');
      const [message] = await once(client, 'message');
      client.close();
      assert.equal(String(message), 'users: hello');

      const dead = await gateway(express, hpm, (app, proxy) => {
        const sockets = proxy({ target: 'http://127.0.0.1:1', ws: true });
        app.use(sockets);
        return sockets;
      });
      const refused = new WebSocket(dead.url.replace('http', 'ws'));
      const [error] = await once(refused, 'error');
      assert.match(error.message, /502/);
    });

    it('stops the request to the service when the client leaves', async () => {
      const left = withResolvers();
      const arrived = withResolvers();
      const { url: target } = await serve((req, res) => {
        arrived.resolve();
        res.on('close', () => left.resolve(res.writableFinished));
      });
      const { url } = await gateway(express, hpm, (app, proxy) => {
        app.use('/api', proxy({ target }));
      });
      const client = new AbortController();
      const answer = fetch(`${url}/api/x`, { signal: client.signal });
      await arrived.promise;
      client.abort();
      await assert.rejects(answer);
      assert.equal(await left.promise, false);
    });
  });
}

describe('http-proxy-middleware 2', () => {
  it('is refused in words, by its first call', () => {
    const { createProxyMiddleware } = require('http-proxy-middleware2');
    assert.throws(
      () => createProxyMiddleware(hangupProxy({ target: 'http://127.0.0.1:1' })),
      /http-proxy-middleware 3 or 4/,
    );
  });
});

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
