import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { runStart, startExample } from './start-example';
import { upToDateDist } from '../fixtures/up-to-date-dist';

beforeAll(upToDateDist, 60_000);

/** How a request ends that is cut off; noted at once, so that nobody calls the rejection unhandled. */
const howItEnds = (request: Promise<unknown>) => request.then(() => 'answered', String);

test('Ctrl-C ends the example with code 0 and leaves no process behind, in the middle of a stream', async () => {
  const example = await startExample();
  const stream = howItEnds((await fetch(`${example.url}/ours/prices`)).text());
  await expect(example.interrupt()).resolves.toEqual({ code: 0, signal: null });
  expect(example.isRunning()).toBe(false);
  await expect(stream).resolves.toBe('TypeError: terminated');
});

test('SIGTERM ends the example with code 0 and leaves no process behind, in the middle of a deploy', async () => {
  const example = await startExample();
  const deploy = howItEnds(fetch(`${example.url}/lab/deploy`, { method: 'POST' }));
  // Once this is answered, the deploy has begun.
  await fetch(`${example.url}/ours/order/busy`);
  await expect(example.stop('SIGTERM')).resolves.toEqual({ code: 0, signal: null });
  expect(example.isRunning()).toBe(false);
  await expect(deploy).resolves.toBe('TypeError: fetch failed');
});

test('an example whose reader has left (npm start | head -1) goes on, whatever its gateway has to say', async () => {
  const example = await startExample();
  const { gateway } = await example.pids();
  example.stopReading();
  for (let fault = 0; fault < 5; fault += 1) {
    expect((await fetch(`${example.url}/ours/order/reset`)).status).toBe(502);
  }
  expect((await example.pids()).gateway).toBe(gateway);
  expect((await fetch(`${example.url}/ours/order/ok`)).status).toBe(200);
  await expect(example.stop('SIGTERM')).resolves.toEqual({ code: 0, signal: null });
});

test('the faults of a gateway that has ended are still known after a deploy', async () => {
  const example = await startExample();
  const { gateway } = await example.pids();
  await fetch(`${example.url}/ours/order/reset`);
  await (await fetch(`${example.url}/lab/deploy`, { method: 'POST' })).text();
  await fetch(`${example.url}/ours/order/hang`);
  // A fault is written after its answer.
  let faults: string[] = [];
  while (faults.length < 2) {
    faults = (await (await fetch(`${example.url}/lab/faults`)).text()).trimEnd().split('\n');
  }
  expect(faults.map((line) => JSON.parse(line) as { code: string; pid: number })).toMatchObject([
    { code: 'UPSTREAM_RESET', pid: gateway },
    { code: 'DEADLINE_EXCEEDED', pid: (await example.pids()).gateway },
  ]);
  await expect(example.stop('SIGTERM')).resolves.toEqual({ code: 0, signal: null });
});

test('an example that is killed takes its processes with it', async () => {
  const example = await startExample();
  await example.stop('SIGKILL');
  // Nobody is told when the child of a dead process ends.
  while (example.isRunning()) await pause(20);
  expect(example.isRunning()).toBe(false);
});

test('a port that is taken is said in plain words, with what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { exited, output } = runStart({ PORT: String(port) });
  await expect(exited).resolves.toEqual({ code: 1, signal: null });
  expect(output()).toBe(`Port ${port} is taken. Choose another: PORT=${port + 1} npm start\n`);
  server.close();
});

test.each(['http', '70000', '-1'])('PORT=%s is refused in plain words', async (port) => {
  const { exited, output } = runStart({ PORT: port });
  await expect(exited).resolves.toEqual({ code: 1, signal: null });
  expect(output()).toBe(`PORT is "${port}", but must be a number from 0 (any free port) to 65535.\n`);
});
