import express5, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { hangupProxy, type HangupProxyOptions } from 'express-hangup/proxy';
import { faultyUpstream, type FaultyUpstream, type FaultyUpstreamOptions } from 'express-hangup/testing';
import type * as ProxyMiddleware from 'http-proxy-middleware3';
import type { Server } from 'node:http';
import { nativeRequire } from '../fixtures/native-require';
import { serve } from '../fixtures/serve';

/** http-proxy-middleware as version 3 declares it; what the tests use is the same in version 4. */
export type Hpm = typeof ProxyMiddleware;

/** The two majors of http-proxy-middleware, for `describe.each`. */
export const proxyVersions: [string, Hpm][] = [
  ['http-proxy-middleware 4', nativeRequire('http-proxy-middleware')],
  ['http-proxy-middleware 3', nativeRequire('http-proxy-middleware3')],
];

/** What these tests give to `hangupProxy()`: options of both versions, unchecked. */
export type AnyOptions = HangupProxyOptions & Record<string, unknown>;

/** `createProxyMiddleware(hangupProxy(options))`. */
export function createProxy(hpm: Hpm, options: AnyOptions): ReturnType<Hpm['createProxyMiddleware']> {
  return hpm.createProxyMiddleware(hangupProxy(options) as object);
}

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
  proxy?: AnyOptions;
  /** What is given to `hangup()`; `false` for an app without it. */
  hangup?: Parameters<typeof hangup>[0] | false;
  /** Middleware before the proxy. */
  before?: RequestHandler[];
  /** Replaces `gatewayErrorHandler()`. */
  errorHandler?: ErrorRequestHandler;
  express?: typeof express5;
}

export interface ProxyApp {
  port: number;
  url: string;
  server: Server;
  app: Express;
  /** What reached the app's error handlers. */
  errors: unknown[];
}

/** An app that proxies everything to `target` and records what reaches its error handlers. */
export async function proxyApp(
  hpm: Hpm,
  target: string | undefined,
  options: ProxyAppOptions = {},
): Promise<ProxyApp> {
  const { express = express5, before = [], errorHandler = gatewayErrorHandler() } = options;
  const app = express();
  app.disable('x-powered-by');
  const errors: unknown[] = [];
  if (options.hangup !== false) app.use(hangup(options.hangup));
  for (const middleware of before) app.use(middleware);
  app.use(createProxy(hpm, { target, ...options.proxy }));
  app.use(((error, _req, _res, next) => {
    errors.push(error);
    next(error);
  }) satisfies ErrorRequestHandler);
  app.use(errorHandler);
  const served = await serve(app);
  return { ...served, app, errors };
}
