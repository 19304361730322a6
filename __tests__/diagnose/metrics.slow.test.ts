import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import express from 'express';
import { Registry } from 'prom-client';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import { diagnose } from 'express-hangup/diagnose';
import { channels } from '../../src/events';
import { collect } from '../fixtures/events';
import { aborted, serve } from '../fixtures/serve';
import { errorOf } from './clients';
import { rst, scriptedUpstream } from './scripted-upstream';

/** The recipes as they stand in the document. */
const recipes = [
  ...readFileSync(join(__dirname, '../../docs/metrics.md'), 'utf8').matchAll(/^```js\n(.*?)^```$/gms),
].map(([, code = '']) => code);

const subscriptions: [name: string, listener: (message: unknown) => void][] = [];

/** Runs a recipe as a module, and gives its `recordMetrics()`. What it subscribes to ends with the test. */
function load(recipe: string | undefined): (...args: unknown[]) => void {
  const code = (recipe ?? '')
    .replace(/^import (\{[^}]*\}) from '([^']+)'$/gm, "const $1 = require('$2')")
    .replace(/^export function (\w+)/gm, 'exports.$1 = $1; function $1');
  const exports: { recordMetrics?: (...args: unknown[]) => void } = {};
  const subscribe = (name: string, listener: (message: unknown) => void): void => {
    diagnostics.subscribe(name, listener);
    subscriptions.push([name, listener]);
  };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is our own document
  const run = new Function('require', 'exports', code) as (require: unknown, exports: unknown) => void;
  run(
    (name: string) => (name === 'node:diagnostics_channel' ? { subscribe } : jest.requireActual(name)),
    exports,
  );
  if (!exports.recordMetrics) throw new Error('the recipe exports no recordMetrics()');
  return exports.recordMetrics;
}

afterEach(() => {
  for (const [name, listener] of subscriptions.splice(0)) diagnostics.unsubscribe(name, listener);
});

/** One request of each kind: answered, failed upstream, late, left by its client; and a retry. */
async function play(): Promise<void> {
  const settled = collect('settle');
  const late = collect('late-response');
  const upstream = await scriptedUpstream(rst);
  const app = express();
  app.use(hangup({ grace: 0 }));
  app.get('/users/:id', (_req, res) => void res.send('ok'));
  app.get('/failing', (req, _res, next) => {
    fetch(upstream.origin, { signal: req.signal }).catch(next);
  });
  app.get('/slow', deadline(250), (req, res) => {
    void aborted(req.signal).then(() => setTimeout(() => res.json({}), 20));
  });
  app.get('/left', () => undefined);
  app.use(gatewayErrorHandler());
  const { url } = await serve(app);
  for (const path of ['/users/1', '/users/2', '/failing', '/slow', '/nowhere']) {
    await (await fetch(url + path)).text();
    await settled.next();
  }
  await errorOf(fetch(`${url}/left`, { signal: AbortSignal.timeout(250) }));
  await settled.next();
  await late.next();
  channels.retry.publish({ origin: upstream.origin, method: 'GET', attempt: 2, delayMs: 5, cause: 503 });
}

describe('the recipe for OpenTelemetry', () => {
  it('gives the metrics of the semantic conventions, and ours', async () => {
    const diagnosis = diagnose();
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    load(recipes[0])(provider.getMeter('express-hangup'));
    await play();
    await reader.forceFlush();
    const [resource] = exporter.getMetrics();
    await provider.shutdown();
    diagnosis.stop();
    const all = resource?.scopeMetrics[0]?.metrics ?? [];
    const points = (name: string): any[] =>
      all.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
    const duration = all.find(({ descriptor }) => descriptor.name === 'http.server.request.duration');
    expect(duration).toMatchObject({ descriptor: { unit: 's' }, dataPointType: DataPointType.HISTOGRAM });
    const get = { 'http.request.method': 'GET', 'url.scheme': 'http' };
    expect(
      points('http.server.request.duration').map(({ attributes, value: { count } }) => ({
        attributes,
        count,
      })),
    ).toEqual([
      { attributes: { ...get, 'http.route': '/users/:id', 'http.response.status_code': 200 }, count: 2 },
      {
        attributes: {
          ...get,
          'http.route': '/failing',
          'http.response.status_code': 502,
          'error.type': '502',
        },
        count: 1,
      },
      {
        attributes: {
          ...get,
          'http.route': '/slow',
          'http.response.status_code': 504,
          'error.type': 'DEADLINE_EXCEEDED',
        },
        count: 1,
      },
      { attributes: { ...get, 'http.response.status_code': 404 }, count: 1 },
      { attributes: { ...get, 'http.route': '/left', 'error.type': 'CLIENT_CLOSED_REQUEST' }, count: 1 },
    ]);
    expect(points('http.server.request.duration')[0].value.sum).toBeLessThan(10);
    expect(points('http.server.request.duration')[0].value.buckets.boundaries).toHaveLength(14);
    expect(points('express_hangup.faults').map(({ attributes, value }) => [attributes, value])).toEqual([
      [
        {
          'error.type': 'UPSTREAM_RESET',
          'express_hangup.outcome': 'answered',
          'http.route': '/failing',
          'server.address': '127.0.0.1',
          'express_hangup.verdict': 'UW1',
        },
        1,
      ],
      [{ 'error.type': 'DEADLINE_EXCEEDED', 'express_hangup.outcome': 'answered', 'http.route': '/slow' }, 1],
    ]);
    expect(points('express_hangup.late_responses')).toMatchObject([
      { attributes: { 'http.route': '/slow', 'express_hangup.call': 'json' }, value: 1 },
    ]);
    expect(points('express_hangup.retries')).toMatchObject([
      { attributes: { 'server.address': '127.0.0.1', 'error.type': '503' }, value: 1 },
    ]);
  });
});

describe('the recipe for Prometheus', () => {
  it('gives the same by their Prometheus names', async () => {
    const diagnosis = diagnose();
    const registry = new Registry();
    load(recipes[1])({ registers: [registry], diagnosis });
    await play();
    const text = await registry.metrics();
    diagnosis.stop();
    const counts = text
      .split('\n')
      .filter((line) => /_(?:count|total|requests)(?:\{| )/.test(line) && !line.startsWith('#'));
    expect(counts).toEqual([
      'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/users/:id",http_response_status_code="200",error_type=""} 2',
      'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/failing",http_response_status_code="502",error_type="502"} 1',
      'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/slow",http_response_status_code="504",error_type="DEADLINE_EXCEEDED"} 1',
      'http_server_request_duration_seconds_count{http_request_method="GET",http_route="",http_response_status_code="404",error_type=""} 1',
      'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/left",http_response_status_code="499",error_type="CLIENT_CLOSED_REQUEST"} 1',
      expect.stringMatching(
        /^express_hangup_faults_total\{http_route="\/failing",error_type="UPSTREAM_RESET",outcome="answered",upstream="http:\/\/127\.0\.0\.1:\d+",verdict="UW1"\} 1$/,
      ),
      'express_hangup_faults_total{http_route="/slow",error_type="DEADLINE_EXCEEDED",outcome="answered",upstream="",verdict=""} 1',
      'express_hangup_late_responses_total{http_route="/slow",call="json"} 1',
      expect.stringMatching(
        /^express_hangup_retries_total\{upstream="http:\/\/127\.0\.0\.1:\d+",cause="503"\} 1$/,
      ),
      'http_server_active_requests 0',
    ]);
  });
});

/** What a client can choose: 2,000 requests of all methods, paths, spellings and hosts. */
async function attack(): Promise<void> {
  const app = express();
  const users = express.Router().get('/users/:id', (_req, res) => void res.send('ok'));
  app.use(hangup());
  app.use('/:tenant/v1', users).use(/\/(?:alpha|beta)/, users);
  app.all('/files/*path', (_req, res) => void res.send('ok'));
  const { url } = await serve(app);
  const paths = (at: number): string[] => [
    `/t${at}/v1/users/${at}?q=${at}`,
    `/${at % 2 ? 'alpha' : 'beta'}/users/%2${at % 10}${at}`,
    `/files/${at}/${at}`,
    `/nowhere/${at}`,
  ];
  const methods = http.METHODS.filter((method) => method !== 'CONNECT');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const ask = async (method: string, path: string, at: number): Promise<void> => {
    const headers = { Host: `host${at}.test:${at}`, 'X-HTTP-Method-Override': `M${at}` };
    const request = http.request(url + path, { agent, method, headers }).end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    await once(response.resume(), 'end');
  };
  for (let at = 0; at < 500; at++)
    await Promise.all(paths(at).map((path) => ask(methods[at % methods.length] ?? 'GET', path, at)));
  agent.destroy();
  const event = { method: 'GET', route: '/', ms: 1, code: 'UPSTREAM_RESET' as const, status: 502, error: 1 };
  for (let at = 0; at < 10_000; at++) {
    const upstream = { origin: `http://host${at}.test`, verdict: 'UW1' };
    channels.fault.publish({ ...event, outcome: 'answered', upstream });
    channels.retry.publish({ origin: upstream.origin, method: 'GET', attempt: 2, delayMs: 5, cause: 503 });
  }
}

describe('the labels of both recipes', () => {
  it('do not grow with what clients send, nor with the hosts that they have the app call', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    const registry = new Registry();
    load(recipes[0])(provider.getMeter('express-hangup'));
    load(recipes[1])({ registers: [registry] });
    await attack();
    await reader.forceFlush();
    const metrics = exporter.getMetrics()[0]?.scopeMetrics[0]?.metrics ?? [];
    await provider.shutdown();
    const values = (name: string): string[] => {
      const points = metrics.flatMap(({ dataPoints }) => dataPoints as { attributes: object }[]);
      const all = points.map(({ attributes }) => (attributes as Record<string, unknown>)[name]);
      return [...new Set(all.filter((value) => typeof value === 'string'))].sort();
    };
    expect(values('http.request.method')).toEqual(
      '_OTHER DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE'.split(' ').sort(),
    );
    expect(values('http.route')).toEqual([
      '/',
      '/:tenant/v1/users/:id',
      '/\\/(?:alpha|beta)//users/:id',
      '/files/*path',
    ]);
    expect(values('server.address')).toHaveLength(101);
    const text = await registry.metrics();
    const labels = (name: string): number =>
      new Set(Array.from(text.matchAll(new RegExp(`[{,]${name}="([^"]*)"`, 'g')), ([, value]) => value)).size;
    expect(labels('http_request_method')).toBe(10);
    expect(labels('http_route')).toBe(5);
    expect(labels('upstream')).toBe(101);
  });
});
