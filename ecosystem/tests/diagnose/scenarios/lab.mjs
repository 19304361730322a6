// One scenario with one client: an upstream on a bare socket, an app that calls it, visitors, and what diagnose() says.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import express from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { diagnose } from 'express-hangup/diagnose';
import { TEST_CERTIFICATES, TEST_KEY } from '../../test-certificates.mjs';

const realNow = performance.now.bind(performance);
let passedMs = 0;
performance.now = () => realNow() + passedMs;

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

export const scripts = {
  ok: (socket) => socket.write(OK),
  announce: (socket) => socket.write(OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=5\r\n\r\n')),
  fin: (socket) => socket.end(),
  rst: (socket) => socket.resetAndDestroy(),
  silence: () => undefined,
  garbage: (socket) => socket.write('this is not HTTP\r\n\r\n'),
  error500: (socket) => socket.write('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n'),
  slow: (socket) => setTimeout(() => socket.write(OK), 80),
  begin: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok'),
  cut: (how) => (socket) => {
    scripts.begin(socket);
    setTimeout(() => (how === 'fin' ? socket.end() : socket.resetAndDestroy()), 30);
  },
};

export class Lab {
  sockets = new Set();
  requests = 0;
  script = scripts.ok;

  static async open(client, { kind = 'plain', target } = {}) {
    const lab = new Lab();
    const onSocket = (socket) => lab.serve(socket);
    lab.upstream =
      kind === 'plain'
        ? net.createServer(onSocket)
        : tls.createServer({ key: TEST_KEY, cert: TEST_CERTIFICATES[kind] }, onSocket);
    lab.upstream.on('tlsClientError', () => undefined);
    lab.upstream.listen(0, '127.0.0.1');
    await once(lab.upstream, 'listening');
    const { port } = lab.upstream.address();
    lab.origin = target?.(port) ?? `${kind === 'plain' ? 'http' : 'https'}://127.0.0.1:${port}`;
    lab.diagnosis = diagnose();
    lab.route = client.handler(lab.origin);
    const app = express();
    app.use(hangup({ deadline: (req) => (req.query.deadline ? 120 : false), grace: 0 }));
    app.use((req, res, next) => (req.path.startsWith('/call') ? lab.route.handler(req, res, next) : next()));
    app.use(gatewayErrorHandler());
    lab.server = app.listen(0, '127.0.0.1');
    await once(lab.server, 'listening');
    return lab;
  }

  serve(socket) {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk) => {
      if (/^[A-Z]+ \//.test(chunk.toString('latin1', 0, 20))) this.requests++;
      this.script(socket);
    });
  }

  passTime(ms) {
    passedMs += ms;
  }

  /** A visitor who waits for his answer; gives its status, 0 where it was broken. */
  ask(path, { method = 'GET', body } = {}) {
    const { port } = this.server.address();
    return new Promise((resolve) => {
      const req = http.request(
        { port, host: '127.0.0.1', path: `/call${path}`, method, agent: false },
        (res) => {
          res
            .on('error', () => resolve(0))
            .on('end', () => resolve(res.statusCode))
            .resume();
        },
      );
      req.on('error', () => resolve(0)).end(body);
    });
  }

  /** A visitor who leaves when the upstream is at work. */
  async leave(path) {
    const before = this.requests;
    const { port } = this.server.address();
    const req = http.get({ port, host: '127.0.0.1', path: `/call${path}`, agent: false }, (res) =>
      res.on('error', () => undefined).resume(),
    );
    req.on('error', () => undefined);
    await this.until(() => this.requests > before);
    await this.turn();
    req.destroy();
    await this.until(() => this.diagnosis.report().live.count === 0);
    await this.turn();
  }

  async answer(count = 4) {
    const { script } = this;
    this.script = scripts.ok;
    for (let at = 0; at < count; at++) await this.ask(`/answered/${at}`);
    this.script = script;
    await this.turn();
  }

  /** A request on a socket that had been idle for so long. */
  async onOldSocket(idleMs, path, script) {
    this.script = scripts.ok;
    await this.ask('/before');
    await this.turn();
    this.passTime(idleMs);
    this.script = script;
    await this.ask(path);
    await this.turn();
    this.passTime(100);
  }

  /** Clients take a socket back a moment after the answer. */
  turn() {
    return new Promise((resolve) => setTimeout(resolve, 15));
  }

  async until(condition) {
    const end = Date.now() + 5000;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`it did not come to ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** What the last fault of the upstream says. */
  verdict() {
    const rows = this.diagnosis.report().faults.filter(({ upstream }) => upstream?.origin === this.origin);
    return rows.map(({ upstream }) => upstream);
  }

  async close() {
    this.diagnosis.stop();
    await this.route.close();
    this.server.close();
    this.server.closeAllConnections();
    this.upstream.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
