import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { diagnose, type Diagnosis } from 'express-hangup/diagnose';
import { nativeRequire } from '../fixtures/native-require';
import { serve } from '../fixtures/serve';
import { freePort } from './scripted-upstream';

/** The settings that people copy, without the headers that would give the proxy away. */
const NGINX: Readonly<Record<string, string>> = {
  'a bare proxy_pass': 'proxy_pass http://127.0.0.1:APP;',
  'the client’s Host': 'proxy_pass http://127.0.0.1:APP; proxy_set_header Host $host;',
  'kept connections': `proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";`,
  'kept connections and the client’s Host': `proxy_pass http://app; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_set_header Host $http_host;`,
  WebSockets: `proxy_pass http://127.0.0.1:APP; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade"; proxy_set_header Host $host; proxy_cache_bypass $http_upgrade;`,
  'the headers of its documentation': `proxy_pass http://127.0.0.1:APP; proxy_http_version 1.1;
    proxy_set_header Connection keep-alive; proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`,
};

const has = (program: string): boolean => spawnSync(program, ['-v']).error === undefined;

let diagnosis: Diagnosis;
let appPort: number;
let folder: string;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  diagnosis = diagnose();
  const app = express();
  app.use('/_hangup', diagnosis.page);
  app.get('/', (_req, res) => void res.send('the app'));
  appPort = (await serve(app)).port;
  folder = mkdtempSync(join(tmpdir(), 'hangup-proxy-'));
});

afterEach(async () => {
  for (const child of children) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  children.clear();
  rmSync(folder, { recursive: true, force: true });
  diagnosis.stop();
});

/** Starts a proxy, and waits until it hands a request on. */
async function started(command: string, args: readonly string[], port: number): Promise<number> {
  const child = spawn(command, args, { stdio: 'ignore' });
  children.add(child);
  for (let tries = 0; tries < 500; tries++) {
    const answer = await ask(port, '/', {}).catch(() => undefined);
    if (answer?.text === 'the app') return port;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${command} does not hand requests on`);
}

async function nginx(location: string): Promise<number> {
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
     events { worker_connections 64; }
     http { access_log off; client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b;
       fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
       upstream app { server 127.0.0.1:${appPort}; keepalive 8; }
       server { listen 127.0.0.1:${port}; location / { ${location.replaceAll('APP', String(appPort))} } } }`,
  );
  return started('nginx', ['-c', config, '-p', folder], port);
}

function ask(
  port: number,
  path: string,
  headers: http.OutgoingHttpHeaders,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const agent = new http.Agent({ keepAlive: true });
    http
      .get({ port, path, headers, agent, host: '127.0.0.1' }, (res) => {
        let text = '';
        res.on('data', (chunk: Buffer) => (text += chunk.toString()));
        res.on('end', () => {
          agent.destroy();
          resolve({ status: res.statusCode ?? 0, text });
        });
      })
      .on('error', reject);
  });
}

/** What somebody on the other side of the proxy may try. */
const attacks = (): http.OutgoingHttpHeaders[] => [
  {},
  { host: 'app.example' },
  { host: 'localhost' },
  { host: `localhost:${appPort}` },
  { host: `127.0.0.1:${appPort}`, connection: 'keep-alive' },
  { host: `127.0.0.1:${appPort}`, connection: 'keep-alive', 'keep-alive': 'timeout=5', te: 'trailers' },
  { host: `127.0.0.1:${appPort}`, 'proxy-connection': 'keep-alive', 'sec-fetch-site': 'none' },
  { host: `[::1]:${appPort}`, connection: 'keep-alive, te', te: 'trailers' },
  { Host: `127.0.0.1:${appPort}`, Connection: 'keep-alive', Accept: 'text/html' },
  { HOST: `127.0.0.1:${appPort}`, CONNECTION: 'Keep-Alive' },
];

async function expectClosed(port: number): Promise<void> {
  for (const headers of attacks()) {
    const { status, text } = await ask(port, '/_hangup/report.json', headers);
    expect({ headers, status, isReport: text.includes('listeningMs') }).toEqual({
      headers,
      status: expect.any(Number),
      isReport: false,
    });
    if (status === 403) expect(text).toContain('diagnose({ allow:');
    else expect(status).toBe(400);
  }
}

it('the page is open to who asks directly', async () => {
  expect((await ask(appPort, '/_hangup/report.json', {})).status).toBe(200);
});

(has('nginx') ? describe : describe.skip)('behind nginx on the same machine', () => {
  it.each(Object.entries(NGINX))('the page is closed: %s', async (_name, location) => {
    await expectClosed(await nginx(location));
  });
});

(has('haproxy') ? it : it.skip)('behind HAProxy on the same machine the page is closed', async () => {
  const port = await freePort();
  const config = join(folder, 'haproxy.cfg');
  writeFileSync(
    config,
    `defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n http-reuse always\nfrontend f\n bind 127.0.0.1:${port}\n default_backend b\nbackend b\n server app 127.0.0.1:${appPort}\n`,
  );
  await expectClosed(await started('haproxy', ['-f', config, '-q', '-db'], port));
});

it.each(['http-proxy-middleware', 'http-proxy-middleware3'])(
  'behind %s, as development servers have it, the page is closed',
  async (name) => {
    const { createProxyMiddleware } = nativeRequire(name);
    const proxy = express();
    const target = `http://127.0.0.1:${appPort}`;
    proxy.use('/', createProxyMiddleware({ target, changeOrigin: true, logger: undefined }));
    const { port } = await serve(proxy);
    await expectClosed(port);
  },
);

it('a name from elsewhere that leads to 127.0.0.1 (DNS rebinding) does not open the page', async () => {
  for (const host of [
    `evil.example:${appPort}`,
    `127.0.0.1.evil.example:${appPort}`,
    `localhost.evil.example`,
  ]) {
    const { status, text } = await ask(appPort, '/_hangup/report.json', { Host: host });
    expect(status).toBe(403);
    expect(text).toContain('the Host is not the local address and port');
  }
});

it('a request that hides behind another in the same bytes is judged by itself', async () => {
  const socket = net.connect(appPort, '127.0.0.1');
  const good = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${appPort}\r\nConnection: keep-alive\r\n\r\n`;
  const bad = `GET /_hangup/report.json HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
  socket.end(good + bad);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, 'close');
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403']);
  expect(text).not.toContain('listeningMs');
});
