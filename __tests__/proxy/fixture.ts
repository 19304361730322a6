import express5, { type Express, type RequestHandler } from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { hangupProxy } from 'express-hangup/proxy';
import { faultyUpstream, type FaultyUpstream, type FaultyUpstreamOptions } from 'express-hangup/testing';
import type { Server } from 'node:http';
import { nativeRequire } from '../fixtures/native-require';
import { serve } from '../fixtures/serve';

/** The two majors of http-proxy-middleware, for `describe.each`. */
export const proxyVersions: [string, any][] = [
  ['http-proxy-middleware 4', nativeRequire('http-proxy-middleware')],
  ['http-proxy-middleware 3', nativeRequire('http-proxy-middleware3')],
];

const upstreams = new Set<FaultyUpstream>();

/** A faulty upstream that is closed when the test is over. */
export async function startUpstream(options: FaultyUpstreamOptions = {}): Promise<FaultyUpstream> {
  const upstream = await faultyUpstream(options);
  upstreams.add(upstream);
  return upstream;
}

afterEach(async () => {
  await Promise.all([...upstreams].map((upstream) => upstream.close()));
  upstreams.clear();
});

export interface ProxyAppOptions {
  /** What is given to `hangupProxy()`, beside the target. */
  proxy?: Record<string, unknown>;
  /** What is given to `hangup()`; `false` for an app without it. */
  hangup?: Parameters<typeof hangup>[0] | false;
  /** Middleware before the proxy. */
  before?: RequestHandler[];
  /** Replaces `gatewayErrorHandler()`. */
  errorHandler?: any;
  express?: typeof express5;
}

export interface ProxyApp {
  port: number;
  url: string;
  server: Server;
  app: Express;
  /** What reached the app's error handlers. */
  errors: any[];
  proxy: any;
}

/** An app that proxies everything to `target` and records what reaches its error handlers. */
export async function proxyApp(
  hpm: any,
  target: string | undefined,
  options: ProxyAppOptions = {},
): Promise<ProxyApp> {
  const { express = express5, before = [], errorHandler = gatewayErrorHandler() } = options;
  const app = express();
  const errors: any[] = [];
  const proxy = hpm.createProxyMiddleware(hangupProxy({ target, ...options.proxy }));
  if (options.hangup !== false) app.use(hangup(options.hangup));
  for (const middleware of before) app.use(middleware);
  app.use(proxy);
  app.use((error: unknown, _req: any, _res: any, next: any) => {
    errors.push(error);
    next(error);
  });
  app.use(errorHandler);
  const served = await serve(app);
  return { ...served, app, errors, proxy };
}
