import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { runStart, startExample } from './start-example';
import { upToDateDist } from './up-to-date-dist';

beforeAll(upToDateDist, 60_000);

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends the example with code 0 and leaves no process behind, in the middle of requests',
  async (signal) => {
    const example = await startExample();
    const { gateway, priceService } = await example.pids();
    const waiting = fetch(`${example.url}/ours/prices`).then(
      () => 'answered',
      () => 'broken',
    );
    await expect(example.stop(signal)).resolves.toEqual({ code: 0, signal: null });
    expect([gateway, priceService].filter(isRunning)).toEqual([]);
    await expect(waiting).resolves.toBe('broken');
  },
);

test('an example that is killed takes its processes with it', async () => {
  const example = await startExample();
  const { gateway, priceService } = await example.pids();
  await example.stop('SIGKILL');
  // Nobody is told when the child of a dead process ends.
  while ([gateway, priceService].some(isRunning)) await pause(20);
  expect([gateway, priceService].filter(isRunning)).toEqual([]);
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
