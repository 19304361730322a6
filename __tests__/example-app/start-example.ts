import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const START = path.resolve(__dirname, '../../example-app/start.mjs');

interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A running example, as `npm start` runs it, on any free port. */
export interface Example {
  url: string;
  /** What it has printed so far. */
  output(): string;
  /** Whether any of its processes is left. */
  isRunning(): boolean;
  /** The processes behind it. */
  pids(): Promise<{ front: number; gateway: number; priceService: number }>;
  /** Closes the end of the pipes that reads what the example prints. */
  stopReading(): void;
  /** Sends the signal to the process that was started, and resolves to how it has ended. */
  stop(signal: NodeJS.Signals): Promise<Exit>;
  /** The same by Ctrl-C, which reaches every process of a terminal. */
  interrupt(): Promise<Exit>;
}

interface Running {
  isRunning: Example['isRunning'];
  output: () => string;
  /** Resolves when the output holds `text`, or the process has ended. */
  says: (text: string) => Promise<void>;
  stopReading: Example['stopReading'];
  stop: Example['stop'];
  interrupt: Example['interrupt'];
  exited: Promise<Exit>;
}

/** Runs `start.mjs` with these variables, whatever comes of it. */
export function runStart(env: NodeJS.ProcessEnv, file = START): Running {
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, as a terminal gives it.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal })) as Promise<Exit>;
  return {
    output: () => output,
    exited,
    async says(text) {
      while (!output.includes(text)) {
        const isOver = await Promise.race([
          once(child.stdout, 'data').then(() => false),
          exited.then(() => true),
        ]);
        if (isOver) return;
      }
    },
    isRunning() {
      try {
        // Nothing is sent: the question is whether the process group has a member left.
        process.kill(-child.pid!, 0);
        return true;
      } catch {
        return false;
      }
    },
    stopReading() {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    stop(signal) {
      child.kill(signal);
      return exited;
    },
    interrupt() {
      process.kill(-child.pid!, 'SIGINT');
      return exited;
    },
  };
}

/** Starts the example and waits until it says what to try. */
export async function startExample(file = START): Promise<Example> {
  const running = runStart({ PORT: '0' }, file);
  await running.says('Ctrl-C');
  const url = /the page +(http:\S+)\//.exec(running.output())?.[1];
  if (url === undefined) throw new Error(`The example has not started: ${running.output()}`);
  return {
    ...running,
    url,
    pids: async () =>
      (await (await fetch(`${url}/lab/processes`)).json()) as Awaited<ReturnType<Example['pids']>>,
  };
}
