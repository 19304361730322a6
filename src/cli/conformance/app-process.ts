import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { clientThatHangsUp } from '../../testing/client/client-that-hangs-up';

/** How long the app may take to end by itself once it is told to, in ms. */
const STOP_MS = 5000;

/** How often an app that ends is started again. */
const RESTARTS = 5;

/** The app as a process, with all that it starts itself. */
export class AppProcess {
  readonly url: string;
  readonly #command: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #waitMs: number;
  #child: ChildProcess | undefined;
  #crashes: string[] = [];
  #restarts = 0;
  #output: string[] = [];

  /** @param waitMs how long it may take to answer. */
  constructor(command: string, port: number, env: NodeJS.ProcessEnv, waitMs: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#command = command;
    this.#env = { ...process.env, PORT: String(port), ...env };
    this.#waitMs = waitMs;
  }

  /** Starts it and waits until it answers, whatever it answers. Rejects in words where it ends before, or does not. */
  async start(): Promise<void> {
    this.#output = [];
    const child = spawn(this.#command, {
      shell: true,
      detached: true,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes) => this.#note(String(bytes)));
    child.on('exit', (code, signal) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#crashes.push(`the process ended with ${signal ?? `code ${code}`}${this.#lastWords()}`);
    });
    const end = performance.now() + this.#waitMs;
    while (!(await this.#answers())) {
      if (this.#child !== child)
        throw new Error(`The app did not start: ${this.#crashes.splice(0).join(', ')}`);
      if (performance.now() > end) {
        throw new Error(
          `The app did not answer at ${this.url} within ${this.#waitMs} ms. It must listen on the port in the variable PORT, or say --port.${this.#lastWords()}`,
        );
      }
      await pause(50);
    }
  }

  async #answers(): Promise<boolean> {
    try {
      const { response } = await clientThatHangsUp(this.url, { patience: 2000 });
      return response !== undefined;
    } catch {
      return false;
    }
  }

  #note(text: string): void {
    this.#output.push(...text.split('\n').filter((line) => line.trim() !== ''));
    this.#output.splice(0, Math.max(0, this.#output.length - 40));
  }

  /** What it wrote last that looks like an error, else its last line. */
  #lastWords(): string {
    const error =
      this.#output.findLast((line) => /^\S*(Error|Exception)\b/.test(line.trim())) ?? this.#output.at(-1);
    return error === undefined ? '' : ` (${error.trim().slice(0, 200)})`;
  }

  /** What has ended it since the last call. */
  takeCrashes(): string[] {
    return this.#crashes.splice(0);
  }

  /** Starts it again where it has ended; tells in words why it cannot. */
  async revive(): Promise<string | undefined> {
    if (this.#child) return undefined;
    if (this.#restarts >= RESTARTS)
      return `the app has ended ${RESTARTS + 1} times, and was not started again`;
    this.#restarts += 1;
    try {
      await this.start();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Ends it and all that it has started. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    signalGroup(child.pid, 'SIGTERM');
    const inTime = await Promise.race([ended.then(() => true), pause(STOP_MS, false, { ref: false })]);
    // Also where the shell has ended and what it started has not.
    signalGroup(child.pid, 'SIGKILL');
    if (!inTime) await ended;
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

/** A port that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
