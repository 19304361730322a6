import { startExample, type Example } from './start-example';
import { trial } from './trial';
import { upToDateDist } from '../fixtures/up-to-date-dist';

let example: Example;

beforeAll(async () => {
  await upToDateDist();
  example = await startExample();
}, 60_000);

afterAll(() => example.stop('SIGTERM'));

async function press(path: string) {
  const response = await fetch(`${example.url}${path}`, { method: 'POST' });
  return { status: response.status, report: (await response.json()) as Report };
}

/** An order of a client, and whether the lab says that something was being restarted meanwhile. */
async function order() {
  const { report } = await trial(example.url, '/ours/order/busy');
  return report.duringRestart;
}

interface Orders {
  requests: number;
  failed: number;
  failures: Record<string, number>;
}

interface Report {
  upstream: Orders;
  snippet: Orders;
  orders: Orders;
  exit: number | string;
}

test('a restart of the price service fails no order through upstream(), and some through plain fetch()', async () => {
  const before = await example.pids();
  const { report } = await press('/lab/restart-price-service');
  const after = await example.pids();
  expect(after.priceService).not.toBe(before.priceService);
  expect(report.upstream).toMatchObject({ failed: 0, failures: {} });
  expect(report.upstream.requests).toBeGreaterThan(20);
  expect(report.snippet.failed).toBeGreaterThan(0);
});

test('a deploy fails no order, and the old gateway ends by itself', async () => {
  const before = await example.pids();
  const pressed = await Promise.all([press('/lab/deploy'), press('/lab/deploy')]);
  const after = await example.pids();
  // One of the two has to wait until nothing is being restarted.
  expect(pressed.map(({ status }) => status).sort()).toEqual([200, 409]);
  const { report } = pressed.find(({ status }) => status === 200)!;
  expect(after.gateway).not.toBe(before.gateway);
  expect(report).toMatchObject({ exit: 0, orders: { failed: 0, failures: {} } });
  expect(report.orders.requests).toBeGreaterThan(20);
});

test('a deploy without a drain fails orders that are in flight', async () => {
  const { report } = await press('/lab/deploy?drain=no');
  expect(report.exit).toBe('SIGKILL');
  expect(report.orders.failed).toBeGreaterThan(0);
});

test('the lab knows which requests a restart has disturbed', async () => {
  const before = await order();
  const restart = press('/lab/restart-price-service');
  const during = await order();
  await restart;
  const after = await order();
  expect({ before, during, after }).toEqual({ before: false, during: true, after: false });
});
