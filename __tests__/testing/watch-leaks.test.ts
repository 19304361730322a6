import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { Agent, createServer, get, type RequestListener, type Server } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { hangup } from 'express-hangup';
import {
  clientThatHangsUp,
  faultyUpstream,
  watchLeaks,
  type Leak,
  type LeakWatch,
} from 'express-hangup/testing';

let server: Server;
let watch: LeakWatch | undefined;
const agent = new Agent({ keepAlive: true });

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function ask(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (res) => res.resume().on('end', resolve)).on('error', reject);
  });
}

afterEach(() => {
  watch?.stop();
  agent.destroy();
  server.closeAllConnections();
  server.close();
});

async function complaint(): Promise<string> {
  return (watch as LeakWatch).expectNone({ within: 100 }).then(
    () => 'nothing',
    (error: unknown) => (error as Error).message,
  );
}

describe('watchLeaks(): what is older than the watch', () => {
  it.each([
    ['node:http', (url: string): void => void get(url, { agent }).on('error', () => undefined)],
    ['fetch', (url: string): void => void fetch(url).catch(() => undefined)],
  ])('sees a call by %s that hangs on a connection which was there before', async (_name, call) => {
    const url = await serve((_req, res) => void (hangs || res.end('ok')));
    let hangs = false;
    await ask(url);
    await fetch(url).then((res) => res.text());
    hangs = true;
    watch = watchLeaks();
    const asked = once(server, 'request');
    call(url);
    await asked;
    expect(await complaint()).toMatch(/the call GET http:\/\/127\.0\.0\.1.* has been waiting for \d+ ms/);
  });

  it('names the place of a connection also where calls end with their request', async () => {
    const propagating = hangup({ propagate: true });
    const url = await serve((_req, res) => res.end());
    watch = watchLeaks(server);
    const socket = new Socket().connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    expect(await complaint()).toMatch(/is still open\n {4}at .*watch-leaks\.test\.ts/);
    socket.destroy();
    expect(propagating).toBeInstanceOf(Function);
  });

  it('sees a connection that is opened by new Socket().connect(), with the place', async () => {
    const url = await serve((_req, res) => res.end());
    watch = watchLeaks();
    const socket = new Socket().connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    expect(await complaint()).toMatch(
      /a connection to 127\.0\.0\.1:\d+ is still open\n {4}at .*watch-leaks\.test\.ts/,
    );
    socket.destroy();
  });
});

describe('watchLeaks(): an app that leaves nothing', () => {
  it('finds nothing after many requests on kept connections, with timers and listeners that are taken down', async () => {
    const url = await serve((req, res) => {
      const timer = setTimeout(() => undefined, 25_000);
      const gone = (): void => clearTimeout(timer);
      req.socket.on('close', gone);
      setTimeout(() => {
        clearTimeout(timer);
        req.socket.off('close', gone);
        res.end('ok');
      }, 2);
    });
    watch = watchLeaks(server);
    for (let i = 0; i < 20; i++) await ask(url);
    await fetch(url).then((res) => res.text());
    await clientThatHangsUp(url, { leave: 'after-request' });
    expect(await complaint()).toBe('nothing');
  });

  it('waits for what is about to end', async () => {
    const url = await serve((_req, res) => void setTimeout(() => res.end('ok'), 60));
    watch = watchLeaks(server);
    const client = ask(url);
    await once(server, 'request');
    expect(watch.leaks().map(({ kind }) => kind)).toContain('request');
    await watch.expectNone();
    await client;
    expect(server.listening).toBe(true);
  });

  it('does not count what was there before', async () => {
    await serve((_req, res) => res.end());
    const timer = setInterval(() => undefined, 1000);
    watch = watchLeaks(server);
    expect(await complaint()).toBe('nothing');
    clearInterval(timer);
  });

  it('does not count a listener that is attached once per connection', async () => {
    const seen = new WeakSet();
    const url = await serve((req, res) => {
      if (!seen.has(req.socket)) req.socket.once('close', () => undefined);
      seen.add(req.socket);
      res.end();
    });
    watch = watchLeaks(server);
    for (let i = 0; i < 5; i++) await ask(url);
    expect(await complaint()).toBe('nothing');
  });
});

describe('watchLeaks(): an app that leaves something behind', () => {
  it('names a request that is never answered', async () => {
    const url = await serve(() => undefined);
    watch = watchLeaks(server);
    const client = clientThatHangsUp(url, { path: '/report?page=2', patience: 400 });
    await once(server, 'request');
    expect(await complaint()).toMatch(
      /^One thing was left behind:\n- GET \/report\?page=2 has been in flight for \d+ ms$/,
    );
    await client;
  });

  it.each([
    ['setTimeout', (): void => void setTimeout(() => undefined, 25_000).unref(), 25_000],
    ['setInterval', (): void => void setInterval(() => undefined, 5000).unref(), 5000],
    ['a timer of node:timers/promises', (): void => void sleep(7000, undefined, { ref: false }), 7000],
  ])('names a timer by its length and its place: %s', async (_name, leave, ms) => {
    const url = await serve((_req, res) => {
      leave();
      res.end();
    });
    watch = watchLeaks(server);
    await ask(url);
    expect(await complaint()).toMatch(
      new RegExp(
        `^One thing .*\\n- a timer of ${ms} ms that was not cleared\\n    at .*watch-leaks\\.test\\.ts:\\d+`,
      ),
    );
  });

  it('names a call to an upstream that goes on after the client has left', async () => {
    const upstream = await faultyUpstream({ fault: 'hang' });
    const url = await serve(() => {
      get(upstream.url).on('error', () => undefined);
    });
    watch = watchLeaks(server);
    await clientThatHangsUp(url, { leave: 'after-request', after: upstream.nextAttempt() });
    expect(await complaint()).toMatch(
      new RegExp(
        `- a connection to 127\\.0\\.0\\.1:${upstream.port} is still open\\n    at .*watch-leaks\\.test\\.ts`,
      ),
    );
    await upstream.close();
  });

  it('counts an idle connection of a pool only where it is asked to', async () => {
    const upstream = await faultyUpstream();
    const url = await serve((_req, res) => void ask(upstream.url).then(() => res.end()));
    watch = watchLeaks(server);
    await clientThatHangsUp(url);
    expect(await complaint()).toBe('nothing');
    watch = watchLeaks({ idleSockets: true });
    agent.destroy();
    await clientThatHangsUp(url);
    expect(await complaint()).toContain(`a connection to 127.0.0.1:${upstream.port} is still open`);
    await upstream.close();
  });

  it('names connections that have outlived their server', async () => {
    const url = await serve((_req, res) => res.write('…'));
    watch = watchLeaks(server);
    const client = clientThatHangsUp(url, { patience: 300 });
    await once(server, 'request');
    server.close();
    expect(await complaint()).toMatch(
      /a connection from 127\.0\.0\.1:\d+ is still open, and its server is closed/,
    );
    await client;
  });

  it('names listeners that each request leaves on its connection', async () => {
    const url = await serve((req, res) => {
      req.socket.on('close', () => undefined);
      res.end();
    });
    watch = watchLeaks(server);
    for (let i = 0; i < 5; i++) await ask(url);
    expect(await complaint()).toContain(
      'a connection that has carried 5 requests has 4 more listeners for "close"',
    );
  });

  it('names listeners on the server and on emitters that it is told of', async () => {
    const pool = new EventEmitter();
    const url = await serve((_req, res) => {
      pool.once('drain', () => undefined);
      server.on('close', () => undefined);
      res.end();
    });
    watch = watchLeaks({ server, emitters: { pool } });
    await ask(url);
    const words = await complaint();
    expect(words).toContain('the server has 1 more listener for "close" than before');
    expect(words).toContain('pool has 1 more listener for "drain" than before');
  });

  it('leaves out what it is told to ignore', async () => {
    await serve((_req, res) => res.end());
    const seen: Leak[] = [];
    watch = watchLeaks({ ignore: (leak) => seen.push(leak) > 0 });
    const timer = setTimeout(() => undefined, 60_000);
    expect(await complaint()).toBe('nothing');
    expect(seen[0]).toMatchObject({ kind: 'timer' });
    clearTimeout(timer);
  });

  it('refuses options that it does not know', () => {
    expect(() => watchLeaks({ servers: [] } as never)).toThrow('no option "servers"');
    expect(() => watchLeaks(3000 as never)).toThrow('the options are 3000, but must be an object');
    expect(() => watchLeaks((() => undefined) as never)).toThrow('the options are a function');
  });
});

describe('watchLeaks(): the standard streams', () => {
  it('are nobody’s leak where Node opens them during the watch, as pipe() makes it do', async () => {
    const script = `
      const { PassThrough } = require('node:stream');
      const { watchLeaks } = require('./src/testing/watches/watch-leaks');
      const watch = watchLeaks({ idleSockets: true });
      new PassThrough().pipe(new PassThrough());
      watch.expectNone({ within: 0 }).then(() => console.log('none'), console.log);
    `;
    const args = ['-r', 'esbuild-register', '-e', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(__dirname, '../..') });
    expect(stdout).toBe('none\n');
  });

  it('hears of calls where the kit was loaded anew, as Jest does for each file, and fetch was first used meanwhile', async () => {
    const args = ['--expose-gc', '-r', 'esbuild-register', join(__dirname, 'apps/watch-anew.cjs')];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(__dirname, '../..') });
    expect(stdout).toBe('request\n');
  });
});
