import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { faultyTcp, TCP_FAULTS, type FaultyTcp, type TcpFault } from 'express-hangup/testing';

let target: Server;
let proxy: FaultyTcp;
const open = new Set<Socket>();

/** A server that answers each piece with the same in capitals. */
beforeAll(async () => {
  target = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => socket.write(bytes.toString().toUpperCase()));
  });
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
});

afterAll(() => {
  for (const socket of open) socket.destroy();
  target.close();
});

beforeEach(async () => {
  proxy = await faultyTcp({ target: { port: (target.address() as AddressInfo).port } });
});

afterEach(() => proxy.close());

interface Client {
  socket: Socket;
  text: () => string;
  ended: Promise<string>;
  until: (text: string) => Promise<void>;
}

async function client(): Promise<Client> {
  const socket = connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true });
  let text = '';
  let look: () => void = () => undefined;
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    look();
  });
  const ended = new Promise<string>((resolve) => {
    socket.on('end', () => resolve('fin'));
    socket.on('error', () => resolve('rst'));
  });
  await once(socket, 'connect');
  const until = (wanted: string): Promise<void> =>
    new Promise((resolve) => {
      look = () => {
        if (text.includes(wanted)) resolve();
      };
      look();
    });
  return { socket, text: () => text, ended, until };
}

describe('faultyTcp(): what goes over the wire', () => {
  it('passes everything on while all is well, and notes each attempt', async () => {
    const { socket, until } = await client();
    socket.write('hello');
    await until('HELLO');
    socket.write('again');
    await until('HELLOAGAIN');
    expect(proxy.attempts).toMatchObject([
      { method: 'TCP', fault: 'ok', bodyBytes: 5, state: 'answered', requestOnSocket: 1 },
      { body: Buffer.from('again'), state: 'answered', requestOnSocket: 2 },
    ]);
    socket.destroy();
    expect(await proxy.untilClosed(proxy.attempts[1]!)).toMatchObject({ by: 'client' });
  });

  it.each([
    ['reset', 'rst', ''],
    ['close', 'fin', ''],
    ['reset-chunk', 'rst', 'HEL'],
    ['close-body', 'fin', 'HEL'],
    ['close-chunk', 'fin', 'HEL'],
    [{ fault: 'close-body', bytes: 4 }, 'fin', 'HELL'],
    ['half-close', 'fin', ''],
  ] as [TcpFault, string, string][])('plays %j', async (fault, how, text) => {
    proxy.use(fault);
    const { socket, ended, text: seen } = await client();
    socket.write('hello');
    expect([await ended, seen()]).toEqual([how, text]);
    socket.destroy();
  });

  it.each(['hang', 'hang-body', 'half-open'] as const)(
    'plays %s, which leaves the connection open',
    async (fault) => {
      proxy.use(fault);
      const { socket, ended, text, until } = await client();
      const attempt = proxy.nextAttempt();
      socket.write('hello');
      await until(fault === 'hang-body' ? 'HEL' : '');
      expect((await attempt).state).toBe('running');
      // Another connection is served meanwhile, and so long nothing happens on this one.
      proxy.use('ok');
      const other = await client();
      other.socket.write('other');
      await other.until('OTHER');
      expect(text()).toBe(fault === 'hang-body' ? 'HEL' : '');
      socket.destroy();
      expect(await proxy.untilClosed(await attempt)).toMatchObject({ by: 'client' });
      expect((await attempt).state).toBe('cut-by-client');
      expect(await Promise.race([ended, Promise.resolve('open')])).toBe('open');
      other.socket.destroy();
    },
  );

  it.each(['slow', 'drip'] as const)('plays %s, after which all has come', async (fault) => {
    proxy.use({ fault, ms: 5, bytes: 2 });
    const { socket, until } = await client();
    socket.write('hello');
    await until('HELLO');
    expect(proxy.attempts[0]?.state).toBe('answered');
    socket.destroy();
  });

  it('answers with garbage', async () => {
    proxy.use('garbage');
    const { socket, until } = await client();
    socket.write('hello');
    await until('****');
    expect(proxy.attempts[0]?.state).toBe('running');
    socket.destroy();
  });

  it('closes a connection when it is used again', async () => {
    proxy.use(['stale', 'ok']);
    const { socket, until, ended } = await client();
    socket.write('hello');
    await until('HELLO');
    socket.write('again');
    expect(await ended).toBe('fin');
    expect(proxy.attempts.map(({ state }) => state)).toEqual(['answered', 'cut-by-upstream']);
  });

  it('refuses connections until it accepts them again', async () => {
    await proxy.refuse();
    await expect(client()).rejects.toThrow('ECONNREFUSED');
    await proxy.accept();
    const { socket, until } = await client();
    socket.write('back');
    await until('BACK');
    socket.destroy();
    await proxy.allClosed();
  });

  it('has every fault in these tests', () => {
    expect(Object.keys(TCP_FAULTS).sort()).toEqual(
      [
        ...[
          'ok',
          'reset',
          'close',
          'reset-chunk',
          'close-body',
          'close-chunk',
          'half-close',
          'hang',
          'hang-body',
        ],
        ...['half-open', 'slow', 'drip', 'garbage', 'stale'],
      ].sort(),
    );
  });
});

describe('faultyTcp(): what it is told', () => {
  it.each([
    [
      'postgres://ada:secret@db.example:5432/shop?ssl=0',
      /^postgres:\/\/ada:secret@127\.0\.0\.1:\d+\/shop\?ssl=0$/,
    ],
    ['redis://127.0.0.1', /^redis:\/\/127\.0\.0\.1:\d+$/],
    ['127.0.0.1:5432', /^tcp:\/\/127\.0\.0\.1:\d+$/],
  ])('gives the URL of %s by way of itself', async (given, url) => {
    const one = await faultyTcp({ target: given });
    expect(one.url).toMatch(url);
    await one.close();
  });

  it.each([
    [{ target: 'nowhere' }, /target is "nowhere", but must be "host:port"/],
    [{ target: { port: 0 } }, /target is \{"port":0\}/],
    // An unset variable of the environment.
    [{ target: undefined }, /target is undefined, but must be "host:port"/],
    [{ target: null }, /target is null/],
    [undefined, /^faultyTcp\(\): the options are undefined, but must be an object/],
    ['127.0.0.1:1', /the options are "127\.0\.0\.1:1", but must be an object/],
    [{ target: '127.0.0.1:1', fault: 'refuse' }, /call refuse\(\)/],
    [{ target: '127.0.0.1:1', fault: 'hnag' }, /no fault "hnag"/],
    [{ target: '127.0.0.1:1', fault: { fault: 'hang', mss: 1 } }, /no option "mss"/],
    [{ target: '127.0.0.1:1', fault: [] }, /at least one entry/],
    [{ target: '127.0.0.1:1', ports: 1 }, /no option "ports"/],
  ])('refuses %j', async (options, words) => {
    await expect(faultyTcp(options as never)).rejects.toThrow(words);
  });
});
