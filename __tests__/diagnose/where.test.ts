import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express, { type RequestHandler } from 'express';
import { deadline, gatewayErrorHandler, hangup, type GatewayFault } from 'express-hangup';
import { diagnose, faultLine, type Diagnosis, type FaultRecord } from 'express-hangup/diagnose';
import { hangupProxy } from 'express-hangup/proxy';
import { upstream as createUpstream } from 'express-hangup/upstream';
import { siteInStack, siteOf } from '../../src/answer/call-site';
import { CallSites } from '../../src/diagnose/calls/call-sites';
import { nativeRequire } from '../fixtures/native-require';
import { serve } from '../fixtures/serve';
import { rst, scriptedUpstream } from './scripted-upstream';
import { until } from './until';

let diagnosis: Diagnosis;
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'hangup-faults-'))));
afterEach(() => {
  diagnosis.stop();
  rmSync(folder, { recursive: true, force: true });
});

const isNode20 = process.versions.node.startsWith('20.');
const lineOf = (marker: string): number =>
  readFileSync(__filename, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(`// ${marker}`)) + 1;

async function faultOf(
  handler: RequestHandler,
  ...before: RequestHandler[]
): Promise<GatewayFault | undefined> {
  let seen: GatewayFault | undefined;
  const app = express();
  app.use(hangup());
  for (const middleware of before) app.use(middleware);
  app.get('/users/:id', handler);
  app.use(gatewayErrorHandler({ onFault: (fault) => (seen = fault) }));
  const { url } = await serve(app);
  await (await fetch(`${url}/users/7?token=secret`)).text();
  return seen;
}

describe('the line of the app that made the failing call', () => {
  let origin: string;
  beforeEach(async () => {
    diagnosis = diagnose();
    ({ origin } = await scriptedUpstream(rst));
  });

  // prettier-ignore
  const calls: [name: string, marker: string, call: (url: string, signal: AbortSignal) => unknown, isSeenOn20: boolean][] = [
    ['global fetch', 'the line of fetch', (url, signal) => fetch(url, { signal }), true], // the line of fetch
    ['undici', 'the line of undici', (url) => nativeRequire('undici').request(url), true], // the line of undici
    ['node:http', 'the line of node:http', (url) => once(http.get(url), 'response'), false], // the line of node:http
    ['axios', 'the line of axios', (url) => nativeRequire('axios').get(url), false], // the line of axios
    ['upstream()', 'the line of upstream', (url) => createUpstream(url, { retries: 0 }).fetch(null, '/'), true], // the line of upstream
  ];

  it.each(calls)('is known of %s', async (_name, marker, call, isSeenOn20) => {
    const fault = await faultOf(async (req, _res, next) => {
      try {
        await call(origin, req.signal);
      } catch (error) {
        next(error);
      }
    });
    const isSeen = isSeenOn20 || !isNode20;
    const site = { file: __filename, line: lineOf(marker), column: expect.any(Number) as number };
    expect(fault?.upstream?.where).toEqual(isSeen ? site : undefined);
  });

  it.each(['http-proxy-middleware', 'http-proxy-middleware3'])(
    'is for %s the line that has called hangupProxy()',
    async (name) => {
      const { createProxyMiddleware } = nativeRequire(name);
      const options = hangupProxy({ target: origin, logger: undefined }); // the line of hangupProxy
      const proxy = createProxyMiddleware(options) as RequestHandler;
      const site = {
        file: __filename,
        line: lineOf('the line of hangupProxy'),
        column: expect.any(Number) as number,
      };
      const fault = await faultOf((_req, _res, next) => next(), proxy);
      expect(fault?.upstream?.where).toEqual(site);
      expect(diagnosis.report().faults).toMatchObject([{ upstream: { where: site } }]);
      diagnosis.stop();
      expect((await faultOf((_req, _res, next) => next(), proxy))?.upstream?.where).toEqual(site);
    },
  );

  it('is for a deadline that a proxied upstream has let pass the line of hangupProxy() too', async () => {
    const silent = await scriptedUpstream(() => undefined);
    const { createProxyMiddleware } = nativeRequire('http-proxy-middleware');
    const options = hangupProxy({ target: silent.origin, logger: undefined }); // the line of the silent one
    const proxy = createProxyMiddleware(options) as RequestHandler;
    await faultOf((_req, _res, next) => next(), deadline(100), proxy);
    const { faults } = diagnosis.report();
    expect(faults).toMatchObject([
      { code: 'DEADLINE_EXCEEDED', upstream: { verdict: expect.stringMatching(/^d/) as string } },
    ]);
    expect(faults[0]?.upstream?.where).toMatchObject({ line: lineOf('the line of the silent one') });
  });

  it('is not that of a middleware that has merely called next()', async () => {
    const { createProxyMiddleware } = nativeRequire('http-proxy-middleware');
    const proxy = createProxyMiddleware({ target: origin, logger: undefined });
    await faultOf(proxy as RequestHandler, (_req, _res, next) => next());
    await until(() => diagnosis.report().faults.length !== 0);
    for (const { upstream } of diagnosis.report().faults) expect(upstream).not.toHaveProperty('where');
  });
});

describe('what is noted', () => {
  it('is every call outside of production, none in production, and a share where that is asked for', async () => {
    const before = process.env['NODE_ENV'];
    const { origin } = await scriptedUpstream(rst);
    const noted = async (options: object, env: string | undefined): Promise<number> => {
      process.env['NODE_ENV'] = env;
      diagnosis = diagnose(options);
      process.env['NODE_ENV'] = before;
      for (let count = 0; count < 20; count++) await fetch(origin).catch(() => undefined);
      diagnosis.stop();
      return diagnosis.report().faults.filter(({ upstream }) => upstream?.where).length;
    };
    expect(await noted({}, 'development')).toBe(20);
    expect(await noted({}, 'production')).toBe(0);
    expect(await noted({ where: true }, 'production')).toBe(20);
    expect(await noted({ where: 0.1 }, 'production')).toBe(2);
    expect(await noted({ where: false }, 'development')).toBe(0);
  });

  it('is not looked for in what the agent of hangupProxy() sends, because no line of the app sends it', async () => {
    const { url: origin } = await serve((_req: http.IncomingMessage, res: http.ServerResponse) => res.end());
    const { agent } = hangupProxy({ target: origin, agent: undefined as http.Agent | undefined });
    diagnosis = diagnose({ where: true });
    const capture = jest.spyOn(Error, 'captureStackTrace');
    const stacksFor = async (by: http.Agent | undefined): Promise<number> => {
      capture.mockClear();
      const [response] = (await once(http.get(origin, { agent: by }), 'response')) as [http.IncomingMessage];
      await once(response.resume(), 'end');
      return capture.mock.calls.length;
    };
    const own = await stacksFor(agent);
    const others = await stacksFor(undefined);
    capture.mockRestore();
    agent?.destroy();
    expect({ own, others }).toEqual({ own: 0, others: isNode20 ? 0 : 1 });
  });

  it('leaves the limit of stacks as the app has set it', () => {
    diagnosis = diagnose();
    const before = Error.stackTraceLimit;
    Error.stackTraceLimit = 3;
    new CallSites(1).capture();
    expect(Error.stackTraceLimit).toBe(3);
    Error.stackTraceLimit = before;
  });

  it('is no line where the app gives stacks of its own kind', () => {
    diagnosis = diagnose();
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is put back as it was
    const before = Error.prepareStackTrace;
    Error.prepareStackTrace = () => ['not', 'a', 'text'];
    const site = siteOf(new CallSites(1).capture());
    Error.prepareStackTrace = before;
    expect(site).toBeUndefined();
  });

  it.each([
    ['    at /app/routes.js:3:9', '/app/routes.js', 3],
    ['    at async getUser (/app/users.js:10:5)', '/app/users.js', 10],
    ['    at async file:///app/my%20folder/users.mjs:10:5', '/app/my folder/users.mjs', 10],
    ['    at new Users (C:\\app\\users.js:1:2)', 'C:\\app\\users.js', 1],
    [
      '    at fetch (node:internal/x:1:2)\n    at /app/node_modules/ky/index.js:1:2\n    at f (/app/a.ts:7:1)',
      '/app/a.ts',
      7,
    ],
  ])('is read from %j', (stack, file, line) => {
    diagnosis = diagnose();
    expect(siteInStack(`Error\n${stack}`)).toMatchObject({ file, line });
  });

  it.each([
    ['a stack of Node’s frames only', 'Error\n    at fetch (node:internal/x:1:2)'],
    [
      'a stack on which a router lies above the app',
      'Error\n    at Layer.handle (/app/node_modules/router/lib/layer.js:1:2)\n    at logger (/app/log.js:1:2)',
    ],
    ['code without a file', 'Error\n    at <anonymous>:1:1'],
    ['a message that looks like frames', `Error: a message\n at nothing\n${' at ('.repeat(10_000)}`],
    ['no stack', undefined],
    ['a number', 7],
  ])('is nothing in %s', (_what, stack) => {
    diagnosis = diagnose();
    expect(siteInStack(stack)).toBeUndefined();
  });
});

describe('the file of faults', () => {
  const records = (file: string): FaultRecord[] =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as FaultRecord);

  it('has a line for each, with what is needed to find the call', async () => {
    const file = join(folder, 'faults.jsonl');
    diagnosis = diagnose({ file });
    const { origin } = await scriptedUpstream(rst);
    await faultOf((_req, _res, next) => void fetch(`${origin}/?secret=1`).catch(next)); // the line of the file
    await fetch(origin).catch(() => undefined);
    diagnosis.stop();
    expect(records(file)).toMatchObject([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        code: 'UPSTREAM_RESET',
        method: 'GET',
        route: '/users/:id',
        where: { file: __filename, line: lineOf('the line of the file'), column: expect.any(Number) },
        upstream: { origin, verdict: 'UW1', trigger: 'rst' },
        status: 502,
        outcome: 'answered',
        attempts: 1,
        traceId: null,
        requestId: null,
        pid: process.pid,
      },
      { code: 'UPSTREAM_RESET', method: null, route: null, status: null, outcome: null },
    ]);
    expect(readFileSync(file, 'utf8')).not.toMatch(/secret/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is put aside when it has become large', async () => {
    const file = join(folder, 'faults.jsonl');
    writeFileSync(file, 'x'.repeat(10_000_001));
    diagnosis = diagnose({ file });
    const { origin } = await scriptedUpstream(rst);
    await fetch(origin).catch(() => undefined);
    diagnosis.stop();
    expect(statSync(`${file}.1`).size).toBe(10_000_001);
    expect(records(file)).toHaveLength(1);
  });

  it('that cannot be written is a warning, and harms nobody', async () => {
    const file = join(folder, 'nowhere', 'faults.jsonl');
    diagnosis = diagnose({ file });
    const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { origin } = await scriptedUpstream(rst);
    await fetch(origin).catch(() => undefined);
    diagnosis.stop();
    expect(emitWarning).toHaveBeenCalledWith(expect.stringContaining(file), {
      code: 'EXPRESS_HANGUP_FAULT_FILE',
    });
    emitWarning.mockRestore();
    expect(existsSync(file)).toBe(false);
  });
});

describe('faultLine()', () => {
  it('tells all that is known in one flat object, and nothing that anybody has written', async () => {
    diagnosis = diagnose();
    const { origin } = await scriptedUpstream(rst);
    let line: object | undefined;
    const where = expect.stringMatching(/where\.test\.ts:\d+:\d+$/) as string;
    const whereSeen = isNode20 ? {} : { where };
    const app = express();
    app.use(hangup({ deadline: 9000 }));
    app.get('/users/:id', (_req, _res, next) => {
      const headers = { Authorization: 'Bearer secret' };
      nativeRequire('axios').post(`${origin}/?key=secret`, 'secret', { headers }).catch(next);
    });
    app.use(gatewayErrorHandler({ onFault: (fault, req) => (line = faultLine(fault, req)) }));
    const { url } = await serve(app);
    const headers = {
      traceparent: `00-${'12'.repeat(16)}-${'34'.repeat(8)}-01`,
      cookie: 'secret',
      'x-request-id': 'r-1',
    };
    await fetch(`${url}/users/secret?secret`, { headers });
    expect(line).toEqual({
      msg: `502 UPSTREAM_RESET by ${origin}`,
      code: 'UPSTREAM_RESET',
      status: 502,
      method: 'GET',
      route: '/users/:id',
      ms: expect.any(Number),
      deadlineMs: 9000,
      traceId: '12'.repeat(16),
      requestId: 'r-1',
      upstream: origin,
      verdict: 'UW1',
      phase: 'waiting',
      trigger: 'rst',
      reusedSocket: false,
      requestsOnSocket: 1,
      ...whereSeen,
    });
    expect(JSON.stringify(line)).not.toContain('secret');
  });

  it('leaves out ids that are none', () => {
    diagnosis = diagnose();
    const req = { method: 'GET', headers: { traceparent: 'x'.repeat(60), 'x-request-id': 'a\nb' } };
    const fault = { code: 'UPSTREAM_RESET', status: 502, title: '', detail: '', cause: undefined } as const;
    expect(faultLine(fault, req as never)).toEqual({
      msg: '502 UPSTREAM_RESET',
      code: 'UPSTREAM_RESET',
      status: 502,
      method: 'GET',
    });
  });
});
