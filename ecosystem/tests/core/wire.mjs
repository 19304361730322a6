// A client that reads every byte of a connection, and an app on a port of its own.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';

const require = createRequire(import.meta.url);

/** Express 4 and 5, for tests that run on both. */
export const expresses = [
  ['Express 4', require('express4')],
  ['Express 5', require('express')],
];

/** Listens on a free port of loopback; closes with the test. */
export async function serve(t, app) {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { server, port: server.address().port };
}

/** Counts what ends a process: uncaught exceptions and unhandled rejections. Node's test runner fails the test for them. */
export function uncaught(t) {
  const errors = [];
  const note = (error) => errors.push(error);
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
  t.after(() => {
    process.off('uncaughtException', note);
    process.off('unhandledRejection', note);
  });
  return errors;
}

export class Wire {
  #buffer = '';
  #waiting = [];
  closed = false;
  error = undefined;

  static async connect(port) {
    const wire = new Wire();
    wire.socket = net.connect(port, '127.0.0.1');
    wire.socket.setEncoding('latin1');
    wire.socket.on('data', (text) => {
      wire.#buffer += text;
      wire.#wake();
    });
    wire.socket.on('error', (error) => (wire.error = error));
    wire.socket.on('close', () => {
      wire.closed = true;
      wire.#wake();
    });
    await once(wire.socket, 'connect');
    return wire;
  }

  send(text) {
    this.socket.write(text);
    return this;
  }

  get(path, headers = '') {
    return this.send(`GET ${path} HTTP/1.1\r\nHost: test\r\n${headers}\r\n`);
  }

  #wake() {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #until(condition) {
    for (;;) {
      const found = condition();
      if (found !== undefined) return found;
      if (this.closed) return undefined;
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The next response, read by its own framing; `complete: false` where the connection ended before it did. */
  async response({ head = false } = {}) {
    const end = await this.#until(() => {
      const at = this.#buffer.indexOf('\r\n\r\n');
      return at < 0 ? undefined : at;
    });
    if (end === undefined) return { complete: false, rest: this.rest() };
    const [line, ...lines] = this.#take(end + 4)
      .trimEnd()
      .split('\r\n');
    const headers = Object.fromEntries(
      lines.map((it) => [it.slice(0, it.indexOf(':')).toLowerCase(), it.slice(it.indexOf(':') + 1).trim()]),
    );
    const status = Number(line.split(' ')[1]);
    if (status === 100 || status === 103) return this.response();
    const body = await this.#body(status, headers, head);
    return { status, headers, ...body };
  }

  async #body(status, headers, head) {
    if (head || status === 204 || status === 304) return { body: '', complete: true };
    if (headers['transfer-encoding'] === 'chunked') return this.#chunks();
    if (headers['content-length'] !== undefined) {
      const length = Number(headers['content-length']);
      const found = await this.#until(() => (this.#buffer.length >= length ? true : undefined));
      return { body: this.#take(length), complete: found === true };
    }
    await this.#until(() => undefined);
    return { body: this.rest(), complete: this.error === undefined, delimitedByClose: true };
  }

  async #chunks() {
    let body = '';
    for (;;) {
      const line = await this.#until(() => {
        const at = this.#buffer.indexOf('\r\n');
        return at < 0 ? undefined : at;
      });
      if (line === undefined) return { body: body + this.rest(), complete: false };
      const size = Number.parseInt(this.#buffer.slice(0, line), 16);
      if (Number.isNaN(size)) throw new Error(`no chunk size: ${JSON.stringify(this.#buffer.slice(0, 40))}`);
      const whole = line + 2 + size + 2;
      const found = await this.#until(() => (this.#buffer.length >= whole ? true : undefined));
      if (found === undefined) return { body: body + this.rest(), complete: false };
      const chunk = this.#take(whole).slice(line + 2, line + 2 + size);
      if (size === 0) return { body, complete: true };
      body += chunk;
    }
  }

  #take(length) {
    const taken = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.slice(length);
    return taken;
  }

  /** What has come and belongs to no response. */
  rest() {
    return this.#take(this.#buffer.length);
  }

  close() {
    this.socket.destroy();
  }
}

/** A promise with its resolve function outside. */
export function gate() {
  let open;
  const promise = new Promise((resolve) => (open = resolve));
  return { promise, open };
}
