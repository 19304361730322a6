import type { Request, Response } from 'express';
import { hangupProxy, type HangupProxyOptions } from 'express-hangup/proxy';
import {
  createProxyMiddleware as create4,
  type Options as Options4,
  type Plugin as Plugin4,
  fixRequestBody as fix4,
  responseInterceptor as ri4,
} from 'http-proxy-middleware';
import {
  createProxyMiddleware as create3,
  type Options as Options3,
  type Plugin as Plugin3,
  fixRequestBody as fix3,
  responseInterceptor as ri3,
} from 'http-proxy-middleware3';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

// Nothing here runs: what is checked is that it compiles, and what is inferred.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<_T extends true>(): void {}

const target = 'http://127.0.0.1';

// The shortest.
create4(hangupProxy({ target }));
create3(hangupProxy({ target }));

// Handlers are typed by the context, without a type argument.
create4(
  hangupProxy({
    target,
    changeOrigin: true,
    on: {
      proxyReq: (proxyReq, req, res) => {
        assertType<Equal<typeof proxyReq, ClientRequest>>();
        assertType<Equal<typeof req, IncomingMessage>>();
        res.setHeader('x', '1');
      },
      proxyRes: (proxyRes, req) => {
        assertType<Equal<typeof proxyRes, IncomingMessage>>();
        assertType<Equal<typeof req, IncomingMessage>>();
      },
      error: (error, _req, res) => {
        assertType<Equal<typeof error, Error>>();
        if ('writeHead' in res) res.writeHead(500);
        res.end();
      },
      proxyReqWs: (_proxyReq, _req, socket) => {
        assertType<Equal<typeof socket, Socket>>();
      },
    },
  }),
);
create3(
  hangupProxy({
    target,
    changeOrigin: true,
    on: {
      proxyReq: (proxyReq, req, res) => {
        assertType<Equal<typeof proxyReq, ClientRequest>>();
        req.headers;
        res.setHeader('x', '1');
      },
      error: (error, _req, res) => {
        assertType<Equal<typeof error, Error>>();
        if ('writeHead' in res) res.writeHead(500);
        res.end();
      },
    },
  }),
);

// With Express's types.
create4<Request, Response>(
  hangupProxy({
    target,
    on: {
      proxyReq: (_proxyReq, req: Request, res: Response) => {
        res.locals['user'] = req.params;
      },
    },
  }),
);
create3<Request, Response>(
  hangupProxy({
    target,
    on: {
      proxyReq: (_proxyReq, req: Request, res: Response) => {
        res.locals['user'] = req.params;
      },
    },
  }),
);

// Options that are declared before.
const options4: Options4 = { target, pathRewrite: { '^/a': '' }, plugins: [] };
const options3: Options3 = { target, pathRewrite: { '^/a': '' }, plugins: [] };
assertType<Equal<ReturnType<typeof hangupProxy<Options4>>, Options4>>();
assertType<Equal<ReturnType<typeof hangupProxy<Options3>>, Options3>>();
create4(hangupProxy(options4));
create3(hangupProxy(options3));
const typed4: Options4<Request, Response> = { target, on: { proxyReq: (_proxyReq, req) => void req.params } };
const typed3: Options3<Request, Response> = { target, on: { proxyReq: (_proxyReq, req) => void req.params } };
create4(hangupProxy(typed4));
create3(hangupProxy(typed3));

// The helpers and plugins of both.
const plugin4: Plugin4 = (server) => void server.on('error', () => undefined);
const plugin3: Plugin3 = (server) => void server.on('error', () => undefined);
create4(
  hangupProxy({
    router: async (req, res, options) => {
      assertType<Equal<typeof req, IncomingMessage>>();
      assertType<Equal<typeof res, ServerResponse | undefined>>();
      return `${target}${options.target ? '' : ''}`;
    },
    pathFilter: (pathname, req) => pathname === req.url,
    selfHandleResponse: true,
    plugins: [plugin4],
    on: { proxyReq: fix4, proxyRes: ri4(async (buffer) => buffer) },
    logger: console,
    followRedirects: 3,
    upgradeTimeout: 100,
  }),
);
create3(
  hangupProxy({
    router: async (req: IncomingMessage) => `${target}${req.url}`,
    selfHandleResponse: true,
    plugins: [plugin3],
    on: { proxyReq: fix3, proxyRes: ri3(async (buffer) => buffer) },
    logger: console,
    followRedirects: true,
  }),
);

// Generic helpers among the handlers: a constraint with members on hangupProxy()'s parameter would break each of these.
create4(hangupProxy({ target, xfwd: true, on: { proxyReq: fix4 } }));
create3(hangupProxy({ target, xfwd: true, on: { proxyReq: fix3 } }));
create4(hangupProxy({ target, selfHandleResponse: true, on: { proxyRes: ri4(async (buffer) => buffer) } }));
create3(hangupProxy({ target, selfHandleResponse: true, on: { proxyRes: ri3(async (buffer) => buffer) } }));
create4(hangupProxy({ target, plugins: [plugin4], on: { proxyReq: fix4 } }));
create3(hangupProxy({ target, plugins: [plugin3], on: { proxyReq: fix3 } }));

// Options that are made apart from their use.
const apart = hangupProxy({ target, xfwd: true, on: { proxyReq: fix3 } });
assertType<Equal<typeof apart.xfwd, boolean>>();
create3(apart);

// http-proxy-middleware's own types check what is given.
// @ts-expect-error -- a number of milliseconds
create4(hangupProxy({ target, proxyTimeout: '100' }));
// @ts-expect-error -- a boolean
create3(hangupProxy({ target, changeOrigin: 'yes' }));
// @ts-expect-error -- a function
create4(hangupProxy({ target, on: { error: 'log' } }));
// @ts-expect-error -- options
hangupProxy(target);

// Our own options, which http-proxy-middleware does not know.
create4(hangupProxy({ target, fallback: 'http://127.0.0.1:1', maxHeaderSize: 65_536 }));
create3(hangupProxy({ target, fallback: new URL('http://127.0.0.1:1'), upgradeTimeout: 1000 }));
create4(hangupProxy({ target, fallback: 'http://127.0.0.1:1', on: { proxyReq: fix4 } }));
const own: Options4 & HangupProxyOptions = { target, fallback: 'http://127.0.0.1:1' };
create4(hangupProxy(own));
