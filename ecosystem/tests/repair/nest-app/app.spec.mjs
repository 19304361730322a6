import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';

const orders = [{ id: 1, name: 'tea' }];
const upstream = createServer((req, res) => {
  let body = '';
  req.on('data', (piece) => (body += piece));
  req.on('end', () => {
    res.writeHead(req.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' });
    res.end(req.method === 'POST' ? body : JSON.stringify(orders));
  });
});
await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));
process.env.API_URL = `http://127.0.0.1:${upstream.address().port}`;
const { createApp } = (await import('./built/main.js')).default;
const app = await createApp();
await app.listen(0, '127.0.0.1');
const url = `http://127.0.0.1:${app.getHttpServer().address().port}`;

after(async () => {
  app.getHttpServer().closeAllConnections();
  upstream.closeAllConnections();
  upstream.close();
  await app.close();
});

test('lists the orders of the upstream', async () => {
  const response = await fetch(`${url}/orders`);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), orders);
});

test('hands an order on as it came', async () => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/orders`, { method: 'POST', headers, body: '{"name":"rice"}' });
  assert.equal(response.status, 201);
  assert.deepEqual(await response.json(), { name: 'rice' });
});

test("answers with Nest's own exceptions", async () => {
  const response = await fetch(`${url}/orders/7`);
  assert.equal(response.status, 404);
  assert.equal((await response.json()).message, 'There is no order 7.');
});
