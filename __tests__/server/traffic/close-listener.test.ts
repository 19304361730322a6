/* eslint jest/no-standalone-expect: ['error', { additionalTestBlockFunctions: ['onLinux'] }] */
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { NO_DELAY, served } from '../../fixtures/server-drain/served';

const onLinux = process.platform === 'linux' ? it : it.skip;

/** What a thread of clients does: it connects, each client with one POST, and tells how many came to which end. */
const CLIENTS = `
  const net = require('node:net');
  const { parentPort, workerData: { port, connected, clients } } = require('node:worker_threads');
  const ends = { answered: 0, reset: 0 };
  for (let client = 0; client < clients; client += 1) {
    let end = 'reset';
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write('POST / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\nContent-Length: 1\\r\\n\\r\\nx');
      Atomics.add(connected, 0, 1);
      Atomics.notify(connected, 0);
    });
    socket.on('data', () => (end = 'answered'));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      ends[end] += 1;
      if (ends.answered + ends.reset === clients) parentPort.postMessage(ends);
    });
  }`;

/** The ends of 20 clients who have connected, and whom this thread has not yet accepted when it calls `close`. */
async function endsOfTheQueued(server: http.Server, close: () => unknown): Promise<unknown> {
  const connected = new Int32Array(new SharedArrayBuffer(4));
  const { port } = server.address() as net.AddressInfo;
  const clients = new Worker(CLIENTS, { eval: true, workerData: { port, connected, clients: 20 } });
  await once(clients, 'online');
  // This thread stands still meanwhile: the kernel connects them, and queues them.
  for (let count = 0; count < 20; count = connected[0]!) Atomics.wait(connected, 0, count);
  const ended = once(clients, 'message');
  close();
  const [ends] = await ended;
  await clients.terminate();
  return ends;
}

describe('closing a listener', () => {
  it('answers whoever waits in the accept queue, where server.close() resets them', async () => {
    const plain = http.createServer((_req, res) => res.end('ok')).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    expect(await endsOfTheQueued(plain, () => plain.close())).toEqual({ answered: 0, reset: 20 });
    const { server, handle } = await served((_req, res) => res.end('ok'), NO_DELAY);
    expect(await endsOfTheQueued(server, () => handle.drain())).toEqual({ answered: 20, reset: 0 });
  });

  onLinux('shortens the queue where no quiet moment comes, and serves whoever was in it', async () => {
    const { server, handle } = await served((_req, res) => res.end('ok'), NO_DELAY);
    const { _handle: listener } = server as unknown as { _handle: { listen: (backlog: number) => number } };
    const shorten = jest.spyOn(listener, 'listen');
    const { port } = server.address() as net.AddressInfo;
    const came = { answered: 0, refused: 0, other: 0 };
    // Always somebody new, until nobody listens.
    const knock = (): void => {
      const socket = net.connect(port, '127.0.0.1', () =>
        socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      );
      let outcome: keyof typeof came = 'other';
      socket.on('data', () => (outcome = 'answered'));
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') outcome = 'refused';
      });
      socket.on('close', () => {
        came[outcome] += 1;
        if (outcome === 'answered') setTimeout(knock, 1);
      });
    };
    for (let client = 0; client < 4; client += 1) knock();
    const { ms } = await handle.drain();
    expect(shorten.mock.calls).toEqual([[0]]);
    // A Node whose handle does not take it would say so here.
    expect(shorten.mock.results).toEqual([{ type: 'return', value: 0 }]);
    expect(ms).toBeGreaterThanOrEqual(250);
    expect(came.answered).toBeGreaterThan(0);
  });

  it('waits for no more than ten quiet milliseconds where nobody comes', async () => {
    const { handle } = await served((_req, res) => res.end('ok'), NO_DELAY);
    expect((await handle.drain()).ms).toBeLessThan(250);
  });
});
