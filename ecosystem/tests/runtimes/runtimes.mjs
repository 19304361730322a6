// Where the runtimes are, and an app that runs on one of them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url));
// Bun's first build needs a processor with AVX2.
const bun = ['bun-linux-x64', 'bun-linux-x64-baseline']
  .map((name) => `${modules}@oven/${name}/bin/bun`)
  .find((path) => existsSync(path));
const deno = `${modules}@deno/linux-x64-glibc/deno`;

/** The command line of each runtime; `undefined` for one that is not installed. */
export const RUNTIMES = {
  Node: [process.execPath],
  Bun: bun && [bun],
  Deno: existsSync(deno) ? [deno, 'run', '--allow-all', '--quiet'] : undefined,
};

/** The app of app.mjs on a runtime, with what it tells. */
export class RuntimeApp {
  #lines = [];
  #wakers = [];

  static async start(command, express) {
    const app = new RuntimeApp();
    app.child = spawn(
      command[0],
      [...command.slice(1), fileURLToPath(new URL('app.mjs', import.meta.url)), express],
      {
        cwd: modules,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    app.exited = once(app.child, 'exit');
    let rest = '';
    app.child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      app.#lines.push(...lines.map((line) => JSON.parse(line)));
      app.#wake();
    });
    app.child.stdout.on('close', () => {
      app.isOver = true;
      app.#wake();
    });
    Object.assign(app, await app.told('port'), await app.told('tuned'), await app.told('drainable'));
    return app;
  }

  #wake() {
    for (const wake of this.#wakers.splice(0)) wake();
  }

  /** The next line with this name that has not been asked for; rejects where the app ends before. */
  async told(name) {
    for (;;) {
      const at = this.#lines.findIndex((line) => name in line);
      if (at >= 0) return this.#lines.splice(at, 1)[0];
      if (this.isOver) throw new Error(`the app has ended and did not tell "${name}"`);
      await new Promise((resolve) => this.#wakers.push(resolve));
    }
  }

  /** Errors that nobody has caught, as far as told. */
  get uncaught() {
    return this.#lines.filter((line) => 'uncaught' in line);
  }
}
