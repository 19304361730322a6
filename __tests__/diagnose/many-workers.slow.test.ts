import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diagnose, type Report } from 'express-hangup/diagnose';
import { joinPm2Workers, type Pm2Workers } from '../../src/diagnose/workers/pm2-workers';

const WORKERS = 300;
const PM2 = { PM2_HOME: '', pm_id: '0', name: 'many', namespace: 'test' };

/** All of the clock but `setTimeout()` and `performance`. */
const REAL = [
  ...(['Date', 'hrtime', 'nextTick', 'queueMicrotask'] as const),
  ...(['setImmediate', 'clearImmediate', 'setInterval', 'clearInterval'] as const),
];

let home: string;
let sleepers: ChildProcess[];
let servers: Server[];
let workers: Pm2Workers | undefined;
let own: Report;

/** A process does nothing here but have a pid. */
async function startSleeper(): Promise<ChildProcess> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return child;
}

function folder(): string {
  const [name = ''] = readdirSync(home).filter((entry) => entry.startsWith('hangup-'));
  return join(home, name);
}

/** What a worker would listen on. */
async function listenAs({ pid }: ChildProcess, onAsk: (socket: Socket, pid: number) => void): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onAsk(socket, pid ?? 0);
  });
  server.listen(join(folder(), `${pid ?? 0}.sock`));
  servers.push(server);
  await once(server, 'listening');
}

function answer(socket: Socket, pid: number): void {
  socket.end(JSON.stringify(reportOf(pid)));
}

function reportOf(pid: number): Report {
  const [first] = own.processes;
  if (!first) throw new Error('A report without a process');
  // A thousand different routes in all, of which each worker has two hundred.
  const routes = Array.from({ length: 200 }, (_, at) => ({
    ...{ method: 'GET', route: `/r${(pid * 7 + at) % 1000}`, requests: 1 },
    ...{ outcomes: own.outcomes.total, tookMs: undefined, leftMs: undefined },
    ...{ tookCounts: [8, 1], leftCounts: [16, 1] },
  }));
  return { ...own, processes: [{ ...first, pid, requests: 1 }], routes };
}

beforeAll(async () => {
  sleepers = [];
  for (let at = 0; at < WORKERS; at++) sleepers.push(await startSleeper());
}, 60_000);

afterAll(() => {
  for (const child of sleepers) child.kill('SIGKILL');
});

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'pm2-'));
  Object.assign(process.env, PM2, { PM2_HOME: home });
  const { report, stop } = diagnose();
  own = report();
  stop();
  servers = [];
  workers = joinPm2Workers(() => own);
});

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
  workers?.leave();
  for (const server of servers) server.close();
  for (const name of Object.keys(PM2)) Reflect.deleteProperty(process.env, name);
  rmSync(home, { recursive: true, force: true });
});

jest.setTimeout(60_000);

it('three hundred workers are on one page, with two hundred routes and the rest in one row', async () => {
  // However slow this machine is: neither the time for all nor that for one passes.
  jest.useFakeTimers({ doNotFake: REAL });
  for (const child of sleepers) await listenAs(child, answer);
  const report = await workers?.all();
  expect(new Set(report?.processes.map(({ pid }) => pid)).size).toBe(WORKERS + 1);
  expect(report?.routes).toHaveLength(201);
  expect(report?.routes.at(-1)).toMatchObject({ method: '', route: 'other routes' });
  expect(report?.routes.reduce((sum, { requests }) => sum + requests, 0)).toBe(WORKERS * 200);
});

it('a worker that dies while it is asked is left out, and so is one that does not answer', async () => {
  const [dying, silent, well] = sleepers as [ChildProcess, ChildProcess, ChildProcess];
  await listenAs(dying, (socket, pid) => {
    const text = JSON.stringify(reportOf(pid));
    socket.write(text.slice(0, text.length / 2), () => socket.destroy());
  });
  await listenAs(silent, () => undefined);
  await listenAs(well, answer);
  const report = await workers?.all();
  expect(report?.processes.map(({ pid }) => pid).sort()).toEqual([process.pid, well.pid].sort());
});

it('when the time is up, no more workers are asked', async () => {
  let asked = 0;
  jest.useFakeTimers({ doNotFake: [...REAL, 'performance'] });
  const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
  for (const child of sleepers) {
    await listenAs(child, (socket, pid) => {
      asked++;
      clock.mockReturnValue(10_000);
      answer(socket, pid);
    });
  }
  const report = await workers?.all();
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThan(WORKERS);
  expect(report?.processes).toHaveLength(asked + 1);
});

it('the sockets of workers that were killed are removed when the page is asked for', async () => {
  const dead = await startSleeper();
  dead.kill('SIGKILL');
  await once(dead, 'exit');
  writeFileSync(join(folder(), `${dead.pid ?? 0}.sock`), '');
  const report = await workers?.all();
  expect(report?.processes).toHaveLength(1);
  expect(readdirSync(folder())).toEqual([`${process.pid}.sock`]);
});
