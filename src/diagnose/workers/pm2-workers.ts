import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Report } from '../report';
import { GatheredReports } from './gathered-reports';

/** A worker that does not answer in this time is left out: its loop is blocked. */
const WORKER_WITHIN_MS = 1000;
/** No report is larger than this; more data is not a report. */
const MAX_REPORT = 8_000_000;
/** How many workers are asked at once. */
const AT_ONCE = 16;
/** After this time no more workers are asked: somebody waits for the page. */
const ALL_WITHIN_MS = 3000;
/** The longest path of a Unix socket on every system: the limit of macOS, the shortest, less the zero at its end. */
const MAX_PATH = 103;
const LONGEST_PID = 4_194_304;
/** Counted up when a report's shape changes, so that an old and a new version do not ask each other during a reload. */
const FORMAT = 2;

/** The other workers of the same app under PM2. */
export interface Pm2Workers {
  /** This worker's report and theirs in one, as far as they answer; its own alone if nobody does. */
  all: () => Promise<Report>;
  leave: () => void;
}

/**
 * PM2's own daemon is the primary of its workers, and passes nothing on. So each worker listens on a socket of its
 * own, in a folder of PM2's home that only this user can enter, and finds the others there. Gives `undefined` if
 * this process does not run under PM2, or if such a folder is not possible. Then each worker knows only itself.
 */
export function joinPm2Workers(own: () => Report): Pm2Workers | undefined {
  const folder = openFolder();
  if (folder === undefined) return undefined;
  forgetDead(folder);
  const path = socketOf(folder, process.pid);
  const server = listen(path, own);
  const removeOwn = (): void => removeSocket(path);
  process.on('exit', removeOwn);
  return {
    async all() {
      forgetDead(folder);
      return askAll(
        own(),
        pidsIn(folder)
          .filter((pid) => pid !== process.pid)
          .map((pid) => socketOf(folder, pid)),
      );
    },
    leave() {
      process.off('exit', removeOwn);
      // It takes the file with it.
      server.close();
    },
  };
}

/** Asks several at once, so that one that is blocked does not hold up the others. */
async function askAll(own: Report, paths: readonly string[]): Promise<Report> {
  const end = performance.now() + ALL_WITHIN_MS;
  const waiting = [...paths];
  const answers = new GatheredReports();
  answers.add(own);
  let silent = 0;
  const ask = async (): Promise<void> => {
    while (waiting.length > 0 && performance.now() < end) {
      const report = await reportOf(waiting.shift() ?? '');
      if (report === undefined) silent++;
      else answers.add(report);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return answers.merged(silent + waiting.length) ?? own;
}

/** One folder for all workers of an app, by the name that it has for PM2. */
function openFolder(): string | undefined {
  const { PM2_HOME: home, pm_id: id, name = '', namespace = '' } = process.env;
  if (home === undefined || id === undefined || process.platform === 'win32') return undefined;
  const app = createHash('sha256')
    .update(JSON.stringify([FORMAT, namespace, name]))
    .digest('hex');
  const folder = join(home, `hangup-${app.slice(0, 12)}`);
  if (Buffer.byteLength(socketOf(folder, LONGEST_PID)) > MAX_PATH) return undefined;
  try {
    // Recursive, because then it may be there already: all workers start at once.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // If the folder is another user's, or others may write to it, any process could listen there.
    const { uid, mode } = lstatSync(folder);
    return uid === process.getuid?.() && (mode & 0o170077) === 0o040000 ? folder : undefined;
  } catch {
    return undefined;
  }
}

function listen(path: string, own: () => Report): Server {
  // Left by a killed process that had the same pid.
  removeSocket(path);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(JSON.stringify(own()));
  });
  // After an error the other workers do not see this one. It does no other harm.
  server.on('error', () => undefined);
  // Not through the primary, which would open it for all workers.
  server.listen({ path, exclusive: true }).unref();
  return server;
}

function removeSocket(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Next time, perhaps.
  }
}

function socketOf(folder: string, pid: number): string {
  return join(folder, `${pid}.sock`);
}

/** Removes what killed workers have left behind. */
function forgetDead(folder: string): void {
  for (const pid of pidsIn(folder)) if (!isAlive(pid)) removeSocket(socketOf(folder, pid));
}

/** The pids whose sockets are in the folder. Workers that were killed may have left theirs behind. */
function pidsIn(folder: string): number[] {
  try {
    const names = readdirSync(folder).filter((name) => /^\d{1,10}\.sock$/.test(name));
    return names.map((name) => Number.parseInt(name, 10));
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Asks one worker. */
function reportOf(path: string): Promise<unknown> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(path);
    const timer = setTimeout(() => socket.destroy(), WORKER_WITHIN_MS);
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_REPORT) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(parsed(text));
    });
  });
}

/** `undefined` for what has been cut off. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
