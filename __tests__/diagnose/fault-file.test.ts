import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import express from 'express';
import { gatewayErrorHandler } from 'express-hangup';
import { diagnose, type FaultRecord, type FaultReport } from 'express-hangup/diagnose';
import { channels } from '../../src/events';
import { FaultFile } from '../../src/diagnose/requests/fault-file';
import { serve } from '../fixtures/serve';

const APP = join(__dirname, '../fixtures/diagnose-faults.cjs');

const FAULT: FaultReport = {
  ...{ at: Date.now(), code: 'UPSTREAM_RESET', method: 'GET', route: '/users/:id', ms: 1, status: 502 },
  ...{ outcome: 'answered', attempts: 1, ids: { traceId: undefined, requestId: undefined } },
  upstream: undefined,
};

let folder: string;
let file: string;
let warnings: string[];
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hangup-faults-')));
  file = join(folder, 'faults.jsonl');
  warnings = [];
  jest.spyOn(process, 'emitWarning').mockImplementation((words) => void warnings.push(String(words)));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const records = (path = file): FaultRecord[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FaultRecord);

/** Runs an app in a process of its own until it ends by itself. */
async function runApp(...args: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, ['-r', 'esbuild-register', APP, ...args]);
}

it('a fault is in the file before its answer has left: the process may end at any moment', async () => {
  const diagnosis = diagnose({ file });
  const app = express();
  app.get('/users/:id', (_req, _res, next) => {
    next(Object.assign(new Error('reset'), { code: 'ECONNRESET', syscall: 'read' }));
  });
  let seen: FaultRecord[] = [];
  app.use(
    gatewayErrorHandler({
      onFault: () => setImmediate(() => (seen = records())),
    }),
  );
  const { url } = await serve(app);
  await (await fetch(`${url}/users/7`)).text();
  diagnosis.stop();
  expect(seen).toMatchObject([{ code: 'UPSTREAM_RESET', route: '/users/:id', outcome: 'answered' }]);
});

it('a failed call that nobody has answered yet is written when the process ends', async () => {
  await runApp('unanswered', file, '1');
  expect(records()).toMatchObject([{ code: 'UPSTREAM_REFUSED', status: null, outcome: null }]);
}, 60_000);

it('two processes that write the same file tear no line of each other', async () => {
  await Promise.all([runApp('storm', file, '3000'), runApp('storm', file, '3000')]);
  const pids = records().map(({ pid }) => pid);
  const [first] = pids;
  expect(new Set(pids).size).toBe(2);
  expect(pids.filter((pid) => pid === first)).toHaveLength(3000);
  expect(pids).toHaveLength(6000);
}, 60_000);

it('ten thousand faults in one turn of the event loop are all in the file', () => {
  const diagnosis = diagnose({ file });
  for (let n = 0; n < 10_000; n++)
    channels.fault.publish({
      ...{ code: 'UPSTREAM_RESET', status: 502, outcome: 'answered', method: 'GET', route: `/r${n}`, ms: 1 },
      ...{ error: undefined, upstream: undefined },
    });
  diagnosis.stop();
  expect(new Set(records().map(({ route }) => route)).size).toBe(10_000);
});

it('a disk that is full is one warning, and a second one tells what is missing when there is room again', () => {
  symlinkSync('/dev/full', file);
  const writer = new FaultFile(file);
  for (let n = 0; n < 2500; n++) writer.write(FAULT);
  writer.close();
  expect(warnings).toEqual([expect.stringContaining('ENOSPC')]);
  unlinkSync(file);
  writer.write(FAULT);
  writer.close();
  expect(warnings.slice(1)).toEqual([`diagnose() writes faults to ${file} again; 2500 are missing there`]);
  expect(records()).toHaveLength(1);
});

it('a folder in the place of the file is a warning, and harms nobody', () => {
  mkdirSync(file);
  const writer = new FaultFile(file);
  for (let n = 0; n < 3; n++) writer.write(FAULT);
  writer.close();
  expect(warnings).toEqual([expect.stringContaining('EISDIR')]);
});

it('a file that is moved away or removed is begun again', () => {
  const writer = new FaultFile(file);
  writer.write(FAULT);
  renameSync(file, `${file}.old`);
  writer.write(FAULT);
  writer.close();
  expect(records(`${file}.old`)).toHaveLength(1);
  expect(records()).toHaveLength(1);
  unlinkSync(file);
  writer.write(FAULT);
  expect(records()).toHaveLength(1);
  writer.close();
  expect(warnings).toEqual([]);
});

it('a line holds no character that ends a line elsewhere or steers a terminal', () => {
  const route = '/a\u2028b\u0085c\u009b31md\u202ee\u001b[0mf\ud800';
  const writer = new FaultFile(file);
  writer.write({ ...FAULT, route });
  writer.close();
  expect(readFileSync(file, 'utf8')).toMatch(/^[\x20-\x7e]+\n$/);
  expect(records()).toMatchObject([{ route }]);
});
