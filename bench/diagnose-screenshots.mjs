// Makes the pictures in docs/screenshots: an app with some troubles, its page in Chromium (light, dark, on a phone).
// Run it after `npm run build`: node bench/diagnose-screenshots.mjs [path of Chromium]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import express from 'express';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import { diagnose } from 'express-hangup/diagnose';
import { chromium } from 'playwright-core';

if (process.env.VISITORS) await comeAndGo(Number(process.env.VISITORS));

const executablePath = process.argv[2] ?? '/usr/bin/chromium';
const folder = new URL('../docs/screenshots/', import.meta.url).pathname;

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** An upstream on a bare socket that does with each request what the script says. */
async function upstream(name, script) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => script(socket, chunk.toString('latin1')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { origin: `http://${name}:${server.address().port}`, stop, sockets };
}

const answer = (socket) => socket.write(OK);
/** Closes idle sockets after two seconds; a request that comes just then is lost. */
const closesIdle = (socket) => {
  clearTimeout(socket.idle);
  if (performance.now() - socket.usedAt > 1800) {
    socket.resetAndDestroy();
    return;
  }
  socket.write(OK);
  socket.usedAt = performance.now();
  socket.idle = setTimeout(() => socket.end(), 2000);
};

const users = await upstream('users', answer);
const billing = await upstream('billing', closesIdle);
const search = await upstream('search', (socket, text) => {
  setTimeout(
    () => (text.includes('slow') ? socket.end() : socket.write(OK)),
    text.includes('slow') ? 1800 : 20,
  );
});
const legacy = await upstream('legacy', (socket) => socket.resetAndDestroy());

const agent = new http.Agent({ keepAlive: true });
const lookup = (_name, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
const call = (url, signal) =>
  new Promise((resolve, reject) => {
    http
      .get(url, { agent, lookup, signal }, (res) => res.on('error', reject).on('end', resolve).resume())
      .on('error', reject);
  });

const diagnosis = diagnose();
const app = express();
app.use('/_hangup', diagnosis.page);
app.use(hangup({ deadline: 8000 }));
const route = (path, work, ...guards) =>
  app.get(path, ...guards, async (req, res) => {
    await work(req);
    res.json({ ok: true });
  });
route('/users/:id', (req) => call(users.origin, req.signal));
route('/invoices/:id', (req) => call(billing.origin, req.signal));
route('/search', (req) => call(`${search.origin}/${req.query.slow ? 'slow' : ''}`, req.signal));
route('/legacy', (req) => call(legacy.origin, req.signal));
route('/reports/:year', () => wait(2500), deadline(1500));
route('/exports/:id', (req) => wait(30_000, undefined, { signal: req.signal }));
route('/events', () => wait(30_000), deadline(false));
app.use(gatewayErrorHandler());
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();

// The visitors are a process of their own: the page shows what the app calls, not who calls the app.
const visitors = fork(new URL(import.meta.url).pathname, { env: { ...process.env, VISITORS: String(port) } });
const visit = (path) => visitors.send(path);
await once(visitors, 'message');
users.stop();
await wait(100);
visit('/users/1');
for (const [path, before] of [
  ['/events', 900],
  ['/exports/1', 2500],
  ['/exports/2', 1800],
  ['/exports/3', 900],
]) {
  visit(path);
  await wait(before);
}

await mkdir(folder, { recursive: true });
const profile = await mkdtemp(join(tmpdir(), 'hangup-page-'));
const flags =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
const browser = await chromium.launchPersistentContext(profile, { executablePath, args: flags.split(' ') });
const [page] = browser.pages();
const shoot = async (name, { width, height, colorScheme }) => {
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme });
  await wait(300);
  await page.screenshot({ path: join(folder, `${name}.png`) });
};
await page.goto(`http://127.0.0.1:${port}/_hangup`);
await page.waitForSelector('#status.live');
visit('/exports/4');
await wait(1500);
await shoot('light', { width: 1100, height: 2000, colorScheme: 'light' });
await shoot('dark', { width: 1100, height: 900, colorScheme: 'dark' });
await shoot('phone', { width: 390, height: 844, colorScheme: 'light' });
await browser.close();
visitors.kill();
process.exit(0);

/** Visitors of all kinds for half a minute. */
async function comeAndGo(port) {
  const get = (path, leaveAfterMs) => {
    const req = http.get({ port, path, agent: new http.Agent() }, (res) => res.resume());
    req.on('error', () => undefined);
    if (leaveAfterMs) setTimeout(() => req.destroy(), leaveAfterMs);
  };
  process.on('message', (path) => get(path));
  const begun = performance.now();
  for (let round = 1; performance.now() < begun + 26_000; round++) {
    const busy = 6 + Math.round(5 * Math.sin(round / 40));
    for (let n = 0; n < busy; n++) get(`/users/${n}`);
    if (round % 6 === 0) get('/search');
    if (round % 47 === 0) get('/search?slow=1');
    if (round % 63 === 0) get('/legacy');
    if (round % 13 === 0) get('/exports/9', 60);
    if (round % 91 === 0) get('/reports/2026');
    if (round % 32 === 0) get('/invoices/1');
    await wait(60);
  }
  process.send('done');
  await new Promise(() => undefined);
}
