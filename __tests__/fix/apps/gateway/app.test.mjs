import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';

const orders = [{ id: 1, name: 'tea' }];
const seen = [];
const upstream = createServer((req, res) => {
  let body = '';
  req.on('data', (piece) => (body += piece));
  req.on('end', () => {
    seen.push({ method: req.method, url: req.url, body });
    res.writeHead(req.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' });
    res.end(req.method === 'POST' ? body : JSON.stringify(orders));
  });
});
await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));
process.env.API_URL = `http://127.0.0.1:${upstream.address().port}`;
const loaded = await import('./app.js');
const app = loaded.default.default ?? loaded.default;
const server = app.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const url = `http://127.0.0.1:${server.address().port}`;

after(() => {
  server.closeAllConnections();
  upstream.closeAllConnections();
  server.close();
  upstream.close();
});

test('lists the orders of the upstream', async () => {
  const response = await fetch(`${url}/orders`);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), orders);
});

test('hands an order on as it came', async () => {
  const response = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"rice"}',
  });
  assert.ok(response.ok);
  assert.deepEqual(await response.json(), { name: 'rice' });
  assert.deepEqual(JSON.parse(seen.at(-1).body), { name: 'rice' });
});

test('knows no other path', async () => {
  const response = await fetch(`${url}/nowhere`);
  assert.equal(response.status, 404);
});
