/* eslint jest/no-standalone-expect: ['error', { additionalTestBlockFunctions: ['onLinux'] }] */
import net from 'node:net';
import { NO_DELAY, served } from '../../fixtures/server-drain/served';

const onLinux = process.platform === 'linux' ? it : it.skip;

describe('closing a listener', () => {
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
