import { once } from 'node:events';
import http from 'node:http';
import { startExample, type Example } from './start-example';
import { trial, type Behaviour, type Trial } from './trial';
import { upToDateDist } from '../fixtures/up-to-date-dist';

/** How long a client waits for what never comes: longer than the gateway's deadline of 1 s. */
const PATIENCE_MS = 2000;

let example: Example;
let trials: Map<string, Promise<Trial>>;

const BEHAVIOURS: Record<string, Behaviour> = {
  leave: { leavesWhenAtWork: true },
  post: { post: { quantity: 2 } },
  wait: { leavesAfterMs: PATIENCE_MS },
  listen: { leavesAfterEvents: 3 },
};

const TRIALS = [
  ...['ok', 'slow', 'hang', 'reset', 'cut', 'stall', 'refuse'].map((trouble) => `/ours/order/${trouble}`),
  ...['reset', 'cut', 'refuse'].map((trouble) => `/snippet/order/${trouble}`),
  ...['hang', 'reset', 'cut', 'stall', 'refuse'].map((trouble) => `/proxied/order/${trouble}`),
  '/plain-proxy/order/cut',
  '/ours/order/busy post',
  '/snippet/order/busy post',
  '/ours/order/hang leave',
  '/proxied/order/hang leave',
  '/snippet/order/stall wait',
  '/ours/prices listen',
  '/snippet/prices',
];

beforeAll(async () => {
  await upToDateDist();
  example = await startExample();
  // A first order loads what a process loads late.
  await trial(example.url, '/ours/order/ok');
  // All at once: most of them take the gateway's deadline of 1 s.
  trials = new Map(
    TRIALS.map((name) => {
      const [path, behaviour = ''] = name.split(' ');
      return [name, trial(example.url, path!, BEHAVIOURS[behaviour])];
    }),
  );
}, 60_000);

afterAll(() => example.stop('SIGTERM'));

const resultOf = (name: string) => trials.get(name)!;

describe("a handler with the request's signal", () => {
  test('answers 200 when all is well, and the price service has answered', async () => {
    const { status, body, report } = await resultOf('/ours/order/ok');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ item: 'coffee', quantity: 1, total: 4.2, currency: 'EUR' });
    expect(report.client).toMatchObject({ status: 200, outcome: 'complete', bytes: body.length });
    expect(report.priceService).toMatchObject({ calls: 1, outcome: 'answered' });
  });

  test.each(['slow', 'hang', 'stall'])(
    'answers 504 and stops a price service that is told to %s',
    async (trouble) => {
      const { status, body, report } = await resultOf(`/ours/order/${trouble}`);
      expect(status).toBe(504);
      expect(JSON.parse(body).code).toBe('DEADLINE_EXCEEDED');
      expect(report.priceService.outcome).toBe('closed by the gateway');
    },
  );

  test.each([
    ['reset', 'UPSTREAM_RESET', 'broken by the price service'],
    ['cut', 'UPSTREAM_RESET', 'broken by the price service'],
    ['refuse', 'UPSTREAM_REFUSED', 'not called'],
  ])('answers 502 for a price service that is told to %s', async (trouble, code, outcome) => {
    const { status, body, report } = await resultOf(`/ours/order/${trouble}`);
    expect(status).toBe(502);
    expect(JSON.parse(body).code).toBe(code);
    expect(report.priceService.outcome).toBe(outcome);
  });

  test('stops the price service when its client leaves', async () => {
    const { report } = await resultOf('/ours/order/hang leave');
    expect(report.client).toMatchObject({ status: null, outcome: 'left' });
    expect(report.priceService.outcome).toBe('closed by the gateway');
    expect(example.output()).toContain('gateway: 499 CLIENT_CLOSED_REQUEST GET /ours/order/hang');
  });

  test('answers a POST whose body has been read', async () => {
    const { status, body } = await resultOf('/ours/order/busy post');
    expect(status).toBe(201);
    expect(JSON.parse(body)).toMatchObject({ quantity: 2, total: 8.4 });
  });

  test('streams prices beyond the deadline, until its client leaves', async () => {
    const { status, outcome, report } = await resultOf('/ours/prices listen');
    expect({ status, outcome }).toEqual({ status: 200, outcome: 'left' });
    expect(report.client.ms).toBeGreaterThan(1500);
    expect(report.priceService.outcome).toBe('closed by the gateway');
  });
});

describe('the copied snippet beside it', () => {
  test.each(['reset', 'cut', 'refuse'])(
    'answers 500 for a price service that is told to %s',
    async (trouble) => {
      expect((await resultOf(`/snippet/order/${trouble}`)).status).toBe(500);
    },
  );

  test('never answers when the body stalls', async () => {
    const { status, outcome } = await resultOf('/snippet/order/stall wait');
    expect({ status, outcome }).toEqual({ status: undefined, outcome: 'left' });
  });

  test('answers 504 to a POST though nobody was slow', async () => {
    expect((await resultOf('/snippet/order/busy post')).status).toBe(504);
  });

  test('answers 504 to a stream whose first event comes late', async () => {
    expect((await resultOf('/snippet/prices')).status).toBe(504);
  });
});

describe('a route behind hangupProxy()', () => {
  test('answers 504 for silence and stops the price service', async () => {
    const { status, report } = await resultOf('/proxied/order/hang');
    expect(status).toBe(504);
    expect(report.priceService.outcome).toBe('closed by the gateway');
  });

  test.each(['reset', 'refuse'])('answers 502 when the price service is told to %s', async (trouble) => {
    expect((await resultOf(`/proxied/order/${trouble}`)).status).toBe(502);
  });

  test.each(['cut', 'stall'])(
    'breaks its answer visibly when the price service is told to %s',
    async (trouble) => {
      const { status, body, outcome, report } = await resultOf(`/proxied/order/${trouble}`);
      expect({ status, body, outcome }).toEqual({
        status: 200,
        body: '{"item":"coffee","price',
        outcome: 'cut',
      });
      expect(report.client.outcome).toBe('cut');
    },
  );

  test('stops the price service when the client of a proxied route leaves', async () => {
    const { report } = await resultOf('/proxied/order/hang leave');
    expect(report.priceService.outcome).toBe('closed by the gateway');
    expect(report.client).toMatchObject({ status: null, outcome: 'left' });
    // Not by the deadline, 1 s after the request's arrival.
    expect(report.priceService.ms).toBeLessThan(900);
  });

  test('stands beside a plain proxy that completes a fragment with its error message', async () => {
    const { status, body, outcome } = await resultOf('/plain-proxy/order/cut');
    expect({ status, outcome }).toEqual({ status: 200, outcome: 'complete' });
    expect(body).toContain('"priceError occurred while trying to proxy');
  });
});

test('npm start prints where to look and what to try', () => {
  expect(example.output()).toContain(`the page       ${example.url}/\n`);
  expect(example.output()).toContain(`curl -i ${example.url}/ours/order/hang `);
});

describe('the page and its lab', () => {
  test('serves the page with scripts and styles of its own only', async () => {
    const response = await fetch(`${example.url}/`);
    const html = await response.text();
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|style=|https?:\/\//);
  });

  test("shows the gateway's own source", async () => {
    const response = await fetch(`${example.url}/lab/source/orders.mjs`);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toContain('signal: req.signal');
  });

  test('opens the diagnosis', async () => {
    // By node:http, which writes header names as browsers do: the page takes no others.
    const agent = new http.Agent({ keepAlive: true });
    const request = http.get(`${example.url}/_hangup/`, { agent, headers: { Accept: 'text/html' } });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const body = (await response.setEncoding('utf8').toArray()).join('');
    agent.destroy();
    expect([response.statusCode, body]).toEqual([200, expect.stringContaining('<!doctype html>')]);
  });

  test('knows nothing of a request that never was', async () => {
    expect((await fetch(`${example.url}/lab/trials/never`)).status).toBe(404);
  });

  test('survives a mark that is the name of an event', async () => {
    await fetch(`${example.url}/ours/order/ok?trial=error`);
    expect((await fetch(`${example.url}/lab/trials/error`)).status).toBe(200);
  });
});
