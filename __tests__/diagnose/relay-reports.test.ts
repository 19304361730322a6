import { EventEmitter } from 'node:events';
import type { Cluster } from 'node:cluster';
import type { WorkerMessage } from '../../src/diagnose/workers/messages';
import { gate } from '../fixtures/serve';
import { diagnose, relayReports, type Report } from 'express-hangup/diagnose';
import { GatheredReports } from '../../src/diagnose/workers/gathered-reports';

/** A worker of a scripted cluster: `answer` says what it does when it is asked. */
class FakeWorker extends EventEmitter {
  isGone = false;
  constructor(
    readonly id: number,
    private readonly cluster: EventEmitter,
    private readonly answer: (worker: FakeWorker, id: number) => void,
  ) {
    super();
  }
  isConnected(): boolean {
    return !this.isGone;
  }
  send(message: { type: string; id: number }): void {
    JSON.stringify(message);
    if (message.type === 'express-hangup:report?') this.answer(this, message.id);
    else this.emit('got', message);
  }
  say(message: unknown): void {
    this.cluster.emit('message', this, message);
  }
  die(): void {
    this.isGone = true;
    this.cluster.emit('disconnect', this);
  }
}

let own: Report;
let stop: () => void;
let cluster: EventEmitter & { workers: Record<number, FakeWorker> };

beforeEach(() => {
  const diagnosis = diagnose();
  own = diagnosis.report();
  diagnosis.stop();
  cluster = Object.assign(new EventEmitter(), { workers: {} });
  stop = relayReports(cluster as unknown as Cluster);
});
afterEach(() => stop());

function reportOf(pid: number): Report {
  return { ...own, processes: own.processes.map((one) => ({ ...one, pid })) };
}

function reply(worker: FakeWorker, id: number): void {
  worker.say({ type: 'express-hangup:report', id, report: reportOf(worker.id) });
}

function addWorker(answer: (worker: FakeWorker, id: number) => void = reply): FakeWorker {
  const id = Object.keys(cluster.workers).length + 1;
  return (cluster.workers[id] = new FakeWorker(id, cluster, answer));
}

function mergeAnswers(answers: readonly unknown[], silent: number): Report | undefined {
  const gathered = new GatheredReports();
  for (const answer of answers) gathered.add(answer);
  return gathered.merged(silent);
}

async function ask(worker: FakeWorker): Promise<{ reports: unknown[]; missing: number }> {
  const reports: unknown[] = [];
  const done = gate<number>();
  const onGot = (message: WorkerMessage): void => {
    expect(message.id).toBe(7);
    if (message.type === 'express-hangup:one') reports.push(message.report);
    if (message.type === 'express-hangup:reports') done.open(message.missing);
  };
  worker.on('got', onGot).say({ type: 'express-hangup:ask', id: 7 });
  const missing = await done.promise;
  worker.off('got', onGot);
  return { reports, missing };
}

it('three hundred workers of a cluster are in one report, and none is missing', async () => {
  // Each answers in a turn of its own.
  for (let n = 0; n < 300; n++) addWorker((worker, id) => void setImmediate(() => reply(worker, id)));
  const { reports, missing } = await ask(cluster.workers[1]!);
  expect(missing).toBe(0);
  const merged = mergeAnswers(reports, missing);
  expect(new Set(merged?.processes.map(({ pid }) => pid)).size).toBe(300);
  expect(merged?.findings).toEqual([]);
});

it('a worker that dies while it is asked is not waited for', () => {
  const asker = addWorker();
  const dying = addWorker(() => undefined);
  const got: unknown[] = [];
  asker.on('got', (message) => got.push(message));
  asker.say({ type: 'express-hangup:ask', id: 7 });
  expect(got).toMatchObject([{ report: {} }]);
  dying.die();
  expect(got).toMatchObject([{ report: {} }, { reports: [], missing: 0 }]);
});

it('a worker that hangs is left out, and the report says so in words', async () => {
  const asker = addWorker();
  addWorker(() => undefined);
  const { reports, missing } = await ask(asker);
  const merged = mergeAnswers(reports, missing);
  expect(merged?.processes).toHaveLength(1);
  expect(merged?.findings).toEqual([
    expect.stringMatching(/^1 of 2 workers are not in this report: they have not answered within a second/),
  ]);
});

it('what the app itself sends in the name of this package does not end the primary', async () => {
  const asker = addWorker();
  const types = ['ask', 'report?', 'report', 'reports', '__proto__'];
  for (const id of [undefined, null, -1, NaN, 'x', {}, [], 1])
    for (const report of [undefined, null, 5, 'x', [], {}, { processes: 5 }])
      for (const type of types) asker.say({ type: `express-hangup:${type}`, id, report, reports: report });
  for (const message of [undefined, null, 5, 'express-hangup:ask', [], { type: {} }]) asker.say(message);
  expect((await ask(addWorker())).missing).toBe(0);
});

it('an answer that can be received and not be sent on does not end the primary', () => {
  // What is nested so deep is too much for JSON.stringify() before Node 26; a BigInt is for every version.
  let deep: unknown = [];
  for (let level = 0; level < 100_000; level++) deep = [deep];
  const asker = addWorker((worker, id) =>
    worker.say({ type: 'express-hangup:report', id, report: [deep, 1n] }),
  );
  const got: unknown[] = [];
  asker.on('got', (message) => got.push(message));
  expect(() => asker.say({ type: 'express-hangup:ask', id: 7 })).not.toThrow();
  expect(got).toMatchObject([{ type: 'express-hangup:reports', missing: 1 }]);
});

it('the primary keeps no report: each is handed over before the next one comes', () => {
  const asker = addWorker(() => undefined);
  const waiting: (() => void)[] = [];
  for (let n = 0; n < 3; n++) addWorker((worker, id) => void waiting.push(() => reply(worker, id)));
  const got: unknown[] = [];
  asker.on('got', (message) => got.push(message));
  asker.say({ type: 'express-hangup:ask', id: 7 });
  for (const [before, answer] of waiting.entries()) {
    answer();
    expect(got).toHaveLength(before + 1);
  }
});

it('what is cut from the lists of many workers is counted, and so is what each has left out', () => {
  const none = { requests: 0, faults: 0, late: 0, servers: 0, origins: 0, timeouts: 0, findings: 0 };
  const many = (pid: number): Report => {
    const names = Array.from({ length: 60 }, (_, n) => `${pid}-${n}`);
    const late = { method: 'GET', call: 'end', count: 2, longestMs: 1, lastAt: 1, where: undefined };
    const times = { count: 3, firstAt: 1, lastAt: 1 };
    const nothing = { code: undefined, ms: undefined, status: undefined, outcome: undefined };
    const last = { at: 1, ...nothing, attempts: 1, ids: { traceId: undefined, requestId: undefined } };
    const origin = {
      requests: 1,
      openSockets: 0,
      savedByRetry: 0,
      verdicts: {},
      resets: own.origins[0]?.resets,
    };
    return {
      ...reportOf(pid),
      late: names.map((route) => ({ ...late, route })),
      faultGroups: names.map((route) => ({
        ...times,
        last: { ...last, method: 'GET', route, upstream: undefined },
      })),
      timeouts: names.map((owner) => ({ owner, name: 'deadline', ms: 1, by: 'seen' })),
      findings: names,
      origins: names.map((name) => ({ ...origin, origin: name }) as Report['origins'][number]),
      leftOut: { requests: 1, faults: 2, late: 3, servers: 4, origins: 5, timeouts: 0, findings: 0 },
    };
  };
  expect(mergeAnswers([own, own], 0)?.leftOut).toEqual(none);
  expect(mergeAnswers([1, 2, 3, 4].map(many), 0)?.leftOut).toEqual({
    ...{ requests: 4, faults: 8 + 40 * 3, late: 12 + 190 * 2, servers: 4 },
    ...{ origins: 5 + 210, timeouts: 140, findings: 190 },
  });
});

it.each([
  ...[undefined, null, 5, 'x', [], {}, { processes: 5 }],
  { processes: [], live: {}, outcomes: null },
  JSON.parse('{"__proto__": {"processes": []}, "routes": [null]}') as unknown,
])('an answer that is no report, %j, is counted as missing', (rubbish) => {
  const merged = mergeAnswers([reportOf(1), rubbish, reportOf(2)], 1);
  expect(merged?.processes.map(({ pid }) => pid)).toEqual([1, 2]);
  expect(merged?.findings[0]).toMatch(/^2 of 4 workers/);
  expect(mergeAnswers([rubbish], 0)).toBeUndefined();
});
