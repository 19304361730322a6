import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { RawClient } from '../fixtures/raw-client';
import { gate } from '../fixtures/serve';
import { proxyApp, proxyVersions } from './fixture';
import { rawUpstream } from './raw-upstream';

const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';
const answer = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe.each(proxyVersions)('early hints that an upstream sends at the wrong time, %s', (_name, hpm) => {
  it('do not get into the body of a pipelined response', async () => {
    const fastIsHere = gate<undefined>();
    const target = await rawUpstream((socket) => {
      socket.on('data', (head) => {
        if (String(head).startsWith('GET /slow')) {
          void fastIsHere.promise.then(() => socket.write(answer('slow')));
        } else socket.write(HINTS + answer('fast'));
      });
    });
    const { port } = await proxyApp(hpm, target, {
      proxy: {
        on: {
          proxyRes: (_proxyRes, req) => {
            if (req.url === '/fast') fastIsHere.open(undefined);
          },
        },
      },
    });
    const client = await RawClient.connect(port);

    client.request('/slow').request('/fast');

    expect(await client.response()).toMatchObject({ status: 200, body: 'slow' });
    expect(await client.response()).toMatchObject({ status: 200, body: 'fast' });
    client.leave('fin');
  });

  it('are not kept for a client that does not read', async () => {
    const flood = HINTS.replace('a.css', 'a'.repeat(8000)).repeat(1000);
    const clients: Socket[] = [];
    const isRelayed = gate<undefined>();
    const target = await rawUpstream((socket) => {
      socket.once('data', () => {
        for (let i = 0; i < 4; i++) socket.write(flood);
        socket.write(answer('ok'));
      });
    });
    const { port, server } = await proxyApp(hpm, target, {
      proxy: { on: { proxyRes: () => isRelayed.open(undefined) } },
    });
    server.on('connection', (socket: Socket) => clients.push(socket));
    const client = net.connect(port, '127.0.0.1').pause();
    await once(client, 'connect');

    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await isRelayed.promise;

    expect(clients[0]?.writableLength).toBeLessThan(1_000_000);
    client.destroy();
  });
});
