// docs/testing-upstreams.md, "msw": calls of upstream() answered by the handlers of Mock Service Worker.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { getResponse, http, HttpResponse } from 'msw';
import { upstream } from 'express-hangup/upstream';

const handlers = [
  http.get('http://users.test/v1/users/:id', ({ params }) => HttpResponse.json({ id: params.id })),
  http.post('http://users.test/v1/users', async ({ request }) =>
    HttpResponse.json({ created: (await request.json()).name }, { status: 201 }),
  ),
  http.get('http://users.test/busy', () => new HttpResponse(null, { status: 503 })),
];

describe('msw and upstream()', () => {
  let server;
  let users;

  before(async () => {
    server = createServer(async (req, res) => {
      const request = new globalThis.Request(new URL(req.url, 'http://users.test'), {
        method: req.method,
        headers: Object.entries(req.headersDistinct).flatMap(([name, values]) =>
          values.map((value) => [name, value]),
        ),
        ...(req.method !== 'GET' && req.method !== 'HEAD' && { body: req, duplex: 'half' }),
      });
      const response = (await getResponse(handlers, request)) ?? new Response('no handler', { status: 501 });
      res
        .writeHead(response.status, Object.fromEntries(response.headers))
        .end(Buffer.from(await response.arrayBuffer()));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    users = upstream(`http://127.0.0.1:${server.address().port}`);
  });

  after(async () => {
    await users.close();
    server.close();
  });

  it('answers fetch() and request()', async () => {
    assert.deepEqual(await (await users.fetch(null, '/v1/users/7')).json(), { id: '7' });
    assert.deepEqual(await (await users.request(null, '/v1/users/8')).body.json(), { id: '8' });
  });

  it('sees what a POST sends', async () => {
    const response = await users.fetch(null, '/v1/users', {
      method: 'POST',
      body: JSON.stringify({ name: 'Grace' }),
      headers: { 'content-type': 'application/json' },
    });
    assert.deepEqual([response.status, await response.json()], [201, { created: 'Grace' }]);
  });

  it('sees each retry', async () => {
    assert.equal((await users.fetch(null, '/busy')).status, 503);
    assert.equal(users.stats().retries, 2);
  });
});
