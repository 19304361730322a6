import http from 'node:http';
import { RawClient } from '../../fixtures/raw-client';
import { listen } from '../../fixtures/serve';

// What docs/timeouts.md says of Node's own timeouts, so that a Node that changes is noticed.
describe('Node’s own timeouts', () => {
  const headers = 'GET / HTTP/1.1\r\nHo';
  const body = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab';

  it.each([
    ['half a head', headers, { headersTimeout: 150, requestTimeout: 60_000 }],
    ['a new connection that says nothing', '', { headersTimeout: 150, requestTimeout: 60_000 }],
    ['half a body', body, { headersTimeout: 150, requestTimeout: 300 }],
    ['half a head, with the two swapped', headers, { headersTimeout: 60_000, requestTimeout: 150 }],
  ])('answer 408 to %s', async (_, bytes, timeouts) => {
    const server = http.createServer({ connectionsCheckingInterval: 20 }, (req) => req.resume());
    Object.assign(server, timeouts);
    const { port } = await listen(server);
    const client = (await RawClient.connect(port)).send(bytes);
    expect((await client.response()).status).toBe(408);
    await client.end();
  });

  it('give a whole request the longer of the two, whichever it is assigned to', async () => {
    const server = http.createServer({ connectionsCheckingInterval: 20 }, (req, res) => {
      req.resume().on('end', () => res.end('whole'));
    });
    Object.assign(server, { headersTimeout: 60_000, requestTimeout: 100 });
    const { port } = await listen(server);
    const client = (await RawClient.connect(port)).send(body);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await client.send('cdefghij').response()).toMatchObject({ status: 200, body: 'whole' });
    client.leave('fin');
  });
});
