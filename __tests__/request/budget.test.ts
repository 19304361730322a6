import fc from 'fast-check';
import type { Request } from 'express';
import { deadline, gatewayErrorHandler, hangup, type HangupOptions } from 'express-hangup';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, serve } from '../fixtures/serve';

const [, express] = expressVersions[0];

describe('inherited budgets', () => {
  async function timeoutFor(
    headers: string,
    options: HangupOptions = { inherit: true },
  ): Promise<number | string> {
    const app = express();
    app.use(hangup({ deadline: 10_000, ...options }));
    app.get('/', (req, res) => void res.json(req.deadline.timeout));
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = await RawClient.connect(port);
    const { status, body } = await client.request('/', { headers }).response();
    client.leave('fin');
    return status === 200 ? (JSON.parse(body) as number) : status;
  }

  it.each([
    ['X-Request-Timeout-Ms: 700\r\n', 700],
    ['grpc-timeout: 700m\r\n', 700],
    ['grpc-timeout: 3S\r\n', 3000],
    ['grpc-timeout: 1M\r\n', 10_000],
    ['grpc-timeout: 900000u\r\n', 900],
    ['Connect-Timeout-Ms: 700\r\n', 700],
    ['X-Envoy-Expected-Rq-Timeout-Ms: 700\r\n', 700],
    ['X-Request-Timeout-Ms: 900\r\ngrpc-timeout: 800m\r\n', 800],
  ])('shorten the deadline: %j', async (headers, expected) => {
    expect(await timeoutFor(headers)).toBe(expected);
  });

  it('never lengthen it', async () => {
    expect(await timeoutFor('X-Request-Timeout-Ms: 60000\r\n')).toBe(10_000);
  });

  it.each([
    'X-Request-Timeout-Ms: -5\r\n',
    'X-Request-Timeout-Ms: 5.5\r\n',
    'X-Request-Timeout-Ms: 1e3\r\n',
    'X-Request-Timeout-Ms: 0x10\r\n',
    'X-Request-Timeout-Ms: 99999999999999\r\n',
    'X-Request-Timeout-Ms: 9999999999\r\n',
    'X-Request-Timeout-Ms: NaN\r\n',
    'X-Request-Timeout-Ms:\r\n',
    'X-Request-Timeout-Ms: 500\r\nX-Request-Timeout-Ms: 600\r\n',
    'grpc-timeout: 5\r\n',
    'grpc-timeout: 123456789m\r\n',
    'grpc-timeout: 99999999H\r\n',
  ])('are ignored when they cannot be used: %j', async (headers) => {
    expect(await timeoutFor(headers)).toBe(10_000);
  });

  it('are ignored by default', async () => {
    expect(await timeoutFor('X-Request-Timeout-Ms: 700\r\n', {})).toBe(10_000);
  });

  it('are ignored from a caller that is not trusted', async () => {
    const inherit = {
      trust: (req: { headers: Record<string, unknown> }) => req.headers['x-internal'] === '1',
    } as HangupOptions['inherit'] & object;
    expect(await timeoutFor('X-Request-Timeout-Ms: 700\r\n', { inherit })).toBe(10_000);
    expect(await timeoutFor('X-Internal: 1\r\nX-Request-Timeout-Ms: 700\r\n', { inherit })).toBe(700);
  });

  it('come from the headers that are named, own ones as milliseconds', async () => {
    const inherit = { headers: ['X-Budget', 'GRPC-Timeout'] };
    expect(await timeoutFor('X-Budget: 600\r\nX-Request-Timeout-Ms: 5\r\n', { inherit })).toBe(600);
    expect(await timeoutFor('grpc-timeout: 2S\r\n', { inherit })).toBe(2000);
  });

  it('of zero are answered 504 at once, without running the route', async () => {
    let ran = 0;
    const app = express();
    app.use(hangup({ inherit: true, grace: 10_000 }));
    app.get('/', () => ran++);
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = await RawClient.connect(port);
    const response = await client.request('/', { headers: 'X-Request-Timeout-Ms: 0\r\n' }).response();
    client.leave('fin');
    expect([response.status, ran]).toEqual([504, 0]);
  });

  it('stay the cap of a longer guard, of extend() and of clear()', async () => {
    const app = express();
    app.use(hangup({ inherit: true }));
    app.get('/guard', deadline(60_000), (req, res) => void res.json(req.deadline.timeout));
    app.get('/off', deadline(false), (req, res) => void res.json(req.deadline.timeout));
    app.get('/more', (req, res) => {
      req.deadline.extend(60_000);
      const extended = req.deadline.timeout;
      req.deadline.clear();
      res.json([extended, req.deadline.timeout]);
    });
    const { port } = await serve(app);
    const client = await RawClient.connect(port);
    const headers = 'X-Request-Timeout-Ms: 5000\r\n';
    const bodies: string[] = [];
    for (const path of ['/guard', '/off', '/more'])
      bodies.push((await client.request(path, { headers }).response()).body);
    client.leave('fin');
    expect(bodies).toEqual(['5000', '5000', '[5000,5000]']);
  });

  it('are never an error and never above the app, whatever a header says', async () => {
    const seen: number[] = [];
    const middleware = hangup({ deadline: 10_000, inherit: true });
    await fc.assert(
      fc.asyncProperty(
        fc.string(),
        fc.constantFrom('x-request-timeout-ms', 'grpc-timeout', 'connect-timeout-ms'),
        async (value, name) => {
          const { req, res } = fakeExchange({ [name]: value });
          await new Promise<void>((resolve) => void middleware(req, res, () => resolve()));
          seen.push(req.deadline.timeout);
          res.emit('close');
        },
      ),
    );
    expect(Math.max(...seen)).toBeLessThanOrEqual(10_000);
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(0);
  });
});

// Headers that no HTTP client would let through: the reader is given them directly.
function fakeExchange(headers: Record<string, string>): { req: Request; res: import('express').Response } {
  const { IncomingMessage, ServerResponse } = process.getBuiltinModule('node:http');
  const { Socket } = process.getBuiltinModule('node:net');
  const req = new IncomingMessage(new Socket());
  req.headers = headers;
  return { req: req as Request, res: new ServerResponse(req) as import('express').Response };
}
