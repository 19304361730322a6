import net from 'node:net';
import { answer } from './commands.mjs';

// A client that does as little as possible: sockets that are kept, one request at a time on each, a prepared request.

/** Open connections by port. They are kept from one round to the next. */
const connections = new Map();

answer({}, { run, hold, answers, close });

/**
 * Sends `requests` requests over `connections` keep-alive connections; resolves when all have been answered.
 *
 * `isAwake`: this process does not sleep meanwhile. Whoever writes to a process that sleeps has to wake it, which takes a server a
 * microsecond or two for each response, and the more often the slower the server is. It needs a core of its own.
 */
async function run({ port, requests, connections: count, request, status = 200, isAwake = false }) {
  const open = connections.get(port) ?? [];
  connections.set(port, open);
  while (open.length < count) open.push(await connect(port));
  const bytes = Buffer.from(request);
  let left = requests;
  let isRunning = isAwake;
  const turn = () => isRunning && setImmediate(turn);
  turn();
  await Promise.all(
    open.slice(0, count).map(
      (connection) =>
        new Promise((resolve, reject) => {
          const next = () => {
            if (left === 0) return resolve();
            left -= 1;
            connection.socket.write(bytes);
          };
          connection.onError = reject;
          connection.onResponse = (answered) => {
            if (answered !== status) reject(new Error(`answered ${answered} instead of ${status}`));
            else next();
          };
          next();
        }),
    ),
  ).finally(() => (isRunning = false));
}

/** Answers that `hold()`'s requests got, by port. */
const answersTo = new Map();

/**
 * Sends one request on each of `count` new connections, `perSecond` of them in a second, and does not wait for answers.
 * Resolves when all are sent.
 */
async function hold({ port, count, perSecond, request }) {
  const open = connections.get(port) ?? [];
  connections.set(port, open);
  const statuses = [];
  answersTo.set(port, statuses);
  const start = performance.now();
  for (let sent = 0; sent < count; sent++) {
    const ahead = start + (sent / perSecond) * 1000 - performance.now();
    if (ahead > 1) await new Promise((resolve) => setTimeout(resolve, ahead));
    const connection = await connect(port);
    connection.onError = () => statuses.push(0);
    connection.onResponse = (status) => statuses.push(status);
    connection.socket.write(request);
    open.push(connection);
  }
}

/** Waits until `count` of the held requests have been answered; gives their statuses, 0 for a broken connection. */
async function answers({ port, count }) {
  const statuses = answersTo.get(port);
  while (statuses.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
  return statuses;
}

function close({ port }) {
  for (const connection of connections.get(port) ?? []) {
    connection.onError = undefined;
    connection.socket.destroy();
  }
  connections.delete(port);
}

async function connect(port) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const connection = { socket, onResponse: undefined, onError: undefined };
  let received = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    received = received === '' ? chunk : received + chunk;
    const end = endOfResponse(received);
    if (end === -1) return;
    if (end !== received.length) connection.onError?.(new Error('more bytes than one response'));
    const status = Number(received.slice(9, 12));
    received = '';
    connection.onResponse(status);
  });
  socket.on('error', (error) => connection.onError?.(error));
  socket.on('close', () => connection.onError?.(new Error('the server closed the connection')));
  return connection;
}

/** Where the response ends that begins at 0; -1 while it is not complete. */
function endOfResponse(text) {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return -1;
  const length = /\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1];
  if (length !== undefined) {
    const end = head + 4 + Number(length);
    return text.length >= end ? end : -1;
  }
  // A chunked body: these benchmarks send none that holds this sequence.
  const last = text.indexOf('\r\n0\r\n\r\n', head);
  return last === -1 ? -1 : last + 7;
}
