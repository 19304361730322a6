// A service that holds its answers, and an app that calls it in the context of its requests.
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import express from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';

/** Serves on a free port of 127.0.0.1; `await using` closes it. */
export async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections?.();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Holds each request until its caller goes away; tells of arrivals and ends. `respond` answers instead where it wants to. */
export async function holdingService(respond = () => false) {
  const events = new EventEmitter();
  const arrived = [];
  const gone = [];
  const server = http.createServer((req, res) => {
    arrived.push(`${req.method} ${req.url}`);
    res.on('close', () => {
      if (!res.writableFinished) gone.push(`${req.method} ${req.url}`);
      events.emit('gone');
    });
    req.resume();
    respond(req, res);
    events.emit('arrived');
  });
  const until = async (event, list, count) => {
    while (list.length < count) await once(events, event);
  };
  return {
    ...(await listen(server)),
    arrived,
    gone,
    untilArrived: (count = 1) => until('arrived', arrived, count),
    untilGone: (count = 1) => until('gone', gone, count),
  };
}

/** An app of one route, `GET /`. */
export async function serve(handler, options) {
  const app = express();
  app.use(hangup(options));
  app.get('/', handler);
  app.use(gatewayErrorHandler());
  return listen(http.createServer(app));
}

/** A client that has asked for `/`, and that leaves when it is told. */
export async function ask(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  return {
    leave: () => socket.destroy(),
    async status() {
      while (!text.includes('\r\n\r\n')) await once(socket, 'data');
      return Number(text.split(' ')[1]);
    },
  };
}

/** The codes and names along an error's causes. */
export function chainOf(error) {
  const chain = [];
  for (let at = error; at && chain.length < 10; at = at.cause) chain.push(at.code ?? at.name);
  return chain;
}

/** A promise with its handle. */
export function gate() {
  let open;
  const promise = new Promise((resolve) => (open = resolve));
  return { promise, open };
}
