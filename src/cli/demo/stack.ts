import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { faultyUpstream, type FaultyUpstream } from '../../testing/upstream/faulty-upstream';

/** The three apps that the demo compares. */
export type StackName = 'plain' | 'snippet' | 'ours';

/** One app in a process of its own, and the upstream that it calls. */
export class Stack {
  readonly upstream: FaultyUpstream;
  readonly #name: StackName;
  readonly #expressPath: string;
  #child: ChildProcess | undefined;
  #url = '';
  #errors = '';

  private constructor(name: StackName, expressPath: string, upstream: FaultyUpstream) {
    this.#name = name;
    this.#expressPath = expressPath;
    this.upstream = upstream;
  }

  /** Starts the upstream and the app. Rejects with the app's own words where it does not start. */
  static async start(name: StackName, expressPath: string): Promise<Stack> {
    const stack = new Stack(name, expressPath, await faultyUpstream());
    try {
      await stack.url();
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  /** Where the app listens; starts it again where its process has ended. */
  async url(): Promise<string> {
    if (this.#child === undefined) await this.#startApp();
    return this.#url;
  }

  /** Why the app's process has ended, in its own words; `undefined` where it still answers. */
  async crash(): Promise<string | undefined> {
    const child = this.#child;
    if (child === undefined) return this.#lastWords();
    // Where the process has just ended, the question is lost; its end is what is reported then.
    child.send('are you alive?', () => undefined);
    return (await hasEnded(child)) ? this.#lastWords() : undefined;
  }

  /** Ends the app and the upstream. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined) {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    }
    await this.upstream.close();
  }

  async #startApp(): Promise<void> {
    const args = [this.#name, this.#expressPath, this.upstream.url];
    const child = fork(join(__dirname, 'serve-app.js'), args, {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.#errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    child.once('close', () => (this.#child = undefined));
    const port = await new Promise<number | undefined>((resolve) => {
      child.once('message', (message) => resolve((message as { port: number }).port));
      child.once('close', () => resolve(undefined));
    });
    if (port === undefined)
      throw new Error(`The demo's ${this.#name} app did not start: ${this.#lastWords()}`);
    this.#url = `http://127.0.0.1:${port}`;
  }

  /** The error that Node printed when it ended the process: its class and message. One without a stack is in brackets. */
  #lastWords(): string {
    const errors = this.#errors.matchAll(/^\[?(\w*Error\b.*?)\]?(?: \{)?$/gm);
    return [...errors].at(-1)?.[1] ?? 'without a word';
  }
}

function hasEnded(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (): void => finish(false);
    const end = (): void => finish(true);
    const finish = (ended: boolean): void => {
      child.off('message', answer);
      child.off('close', end);
      resolve(ended);
    };
    child.once('message', answer);
    child.once('close', end);
  });
}
