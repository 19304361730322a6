import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { clientThatHangsUp } from '../../testing/client/client-that-hangs-up';

/** How long the app may take to end by itself once it is told to, in ms. */
const STOP_MS = 5000;

/** How often an app that ends is started again. */
const RESTARTS = 5;

/** How long to wait for the end of an app that gives no sign of life, in ms. */
const SIGN_MS = 500;

/** Where an app may listen that says `localhost`. */
const HOSTS = ['127.0.0.1', '[::1]'] as const;

/** What it may speak. A server of HTTPS ends a connection on which no TLS comes, so HTTP is tried first. */
const SCHEMES = ['http', 'https'] as const;

/** The app as a process, with all that it starts itself. */
export class AppProcess {
  /** Where it answers: on 127.0.0.1, or on ::1 where it listens on that alone, as `localhost` may mean. */
  url: string;
  readonly #port: number;
  readonly #command: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #waitMs: number;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #crashes: string[] = [];
  #restarts = 0;
  #isStopped = false;
  /** The process that `stop()` has told to end. */
  #pid: number | undefined;
  #output: string[] = [];

  /** @param waitMs how long it may take to answer. */
  constructor(command: string, port: number, env: NodeJS.ProcessEnv, waitMs: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#port = port;
    this.#command = command;
    this.#env = { ...process.env, PORT: String(port), ...env };
    this.#waitMs = waitMs;
  }

  /** Starts it and waits until it answers, whatever it answers. Rejects in words where it ends before, or does not. */
  async start(): Promise<void> {
    if (await this.#isTaken()) {
      throw new Error(
        `Something listens on port ${this.#port} already, and would be judged in place of the app: stop it, or leave --port out.`,
      );
    }
    this.#refuseIfStopped();
    this.#output = [];
    const child = spawn(this.#command, {
      shell: true,
      detached: true,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('exit', resolve));
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes) => this.#note(String(bytes)));
    child.on('exit', (code, signal) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      // What the command has started may have outlived it, and holds the port.
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      this.#crashes.push(`the process ended with ${signal ?? `code ${code}`}${this.#lastWords()}`);
    });
    const end = performance.now() + this.#waitMs;
    while (!(await this.#answers(end - performance.now()))) {
      this.#refuseIfStopped();
      if (this.#child !== child)
        throw new Error(
          `The app did not start: ${this.#crashes.splice(0).join(', ')}. The command must run as long as the app does.`,
        );
      if (performance.now() > end) {
        throw new Error(
          `The app did not answer at ${this.url} within ${this.#waitMs} ms. It must listen on the port in the variable PORT, or say --port.${this.#lastWords()}`,
        );
      }
      await pause(50);
    }
  }

  /**
   * Whether it answers; a first answer may take as long as the app may take to start. The beginning of an answer is enough: it
   * may be a stream without an end.
   */
  async #answers(patience: number): Promise<boolean> {
    const end = performance.now() + patience;
    for (const scheme of SCHEMES) {
      for (const host of HOSTS) {
        const url = `${scheme}://${host}:${this.#port}`;
        const left = Math.max(1, Math.ceil(end - performance.now()));
        const untilHead = { leave: 'during-response', bytes: 0, patience: left } as const;
        const account = await clientThatHangsUp(url, untilHead).catch(() => undefined);
        // The patience may be at its end before anybody has refused.
        if (account?.ms.connected === undefined) continue;
        this.url = url;
        if (account.response !== undefined) return true;
      }
    }
    return false;
  }

  #refuseIfStopped(): void {
    if (this.#isStopped) throw new Error('The run was stopped.');
  }

  async #isTaken(): Promise<boolean> {
    const taken = await Promise.all(HOSTS.map((host) => accepts(host, this.#port)));
    return taken.includes(true);
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

  /**
   * What has ended the process since the last call. A process that ends by an exception still runs until it has written the
   * exception, so it is asked for a sign of life first.
   */
  async takeCrashes(): Promise<string[]> {
    await this.#signOfLife();
    return this.#crashes.splice(0);
  }

  /** Sends bytes that are no request. Every server answers or closes the connection; Node does so without calling the app. */
  async #signOfLife(): Promise<void> {
    if (this.#child === undefined) return;
    const garbage = Buffer.from('?\r\n\r\n');
    const alive = clientThatHangsUp(this.url, { raw: garbage, patience: SIGN_MS }).then(
      ({ response }) => response !== undefined,
      () => false,
    );
    // It was connected and does not answer: either it is about to end, or it does not answer invalid requests.
    if (!(await alive)) await Promise.race([this.#ended, pause(SIGN_MS, undefined, { ref: false })]);
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
    this.#isStopped = true;
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined) return;
    this.#pid = child.pid;
    signalGroup(child.pid, 'SIGTERM');
    const inTime = await Promise.race([this.#ended.then(() => true), pause(STOP_MS, false, { ref: false })]);
    // Also where the shell has ended and what it started has not.
    signalGroup(child.pid, 'SIGKILL');
    if (!inTime) await this.#ended;
  }

  /** Ends it at once, also while `stop()` waits for it. */
  kill(): void {
    this.#isStopped = true;
    const pid = this.#child?.pid ?? this.#pid;
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
  }
}

async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect({ host: host.replace(/[[\]]/g, ''), port });
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
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
