import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A version that runs, as the record keeps it. */
export interface Instance {
  version: string;
  command: string[];
  cwd: string;
  port: number;
  pid: number;
  /** When the kernel started the process, in its own ticks. It tells the process from a later one with the same id. */
  startedAt: string;
}

/** How long a version may take to answer one probe, in milliseconds. */
const PROBE_MS = 2000;

const POLL_MS = 50;

/** Starts a version on a free port. Its process group outlives the command, and its output goes to a file. */
export async function startInstance(
  { version, command, cwd }: Pick<Instance, 'version' | 'command' | 'cwd'>,
  directory: string,
): Promise<Instance> {
  const port = await freePort();
  const [program = '', ...args] = command.map((part) =>
    part.replaceAll('{port}', String(port)).replaceAll('{version}', version),
  );
  const log = openSync(join(directory, 'app.log'), 'a');
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  await once(child, 'spawn');
  child.unref();
  const { pid = 0 } = child;
  return { version, command, cwd, port, pid, startedAt: startOf(pid) };
}

/** Whether the process is still running, and is the same process. */
export function isAlive({ pid, startedAt }: Instance): boolean {
  const now = startOf(pid);
  return now !== '' && now === startedAt;
}

/**
 * Signals the process to end. When the time is up it kills the whole process group, so that no child keeps the
 * port.
 */
export async function stopInstance(instance: Instance, withinMs: number): Promise<'ended' | 'killed'> {
  const giveUpAt = performance.now() + withinMs;
  if (isAlive(instance)) process.kill(instance.pid, 'SIGTERM');
  while (isAlive(instance) && performance.now() < giveUpAt) await pause(POLL_MS);
  const outcome = isAlive(instance) ? 'killed' : 'ended';
  killGroup(instance.pid);
  return outcome;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The process group is empty.
  }
}

/** Sends a request to a version directly, past HAProxy. Gives the status; 0 if there was no answer. */
export function probe(port: number, path: string): Promise<number> {
  return new Promise((resolve) => {
    const req = http.get({ host: '127.0.0.1', port, path, agent: false, timeout: PROBE_MS }, (res) => {
      resolve(res.resume().statusCode ?? 0);
    });
    req.on('timeout', () => req.destroy());
    req.on('error', () => resolve(0));
  });
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The 22nd field of proc_pid_stat(5); '' if there is no such process, or only its zombie. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? '' : (rest[18] ?? '');
  } catch {
    return '';
  }
}
