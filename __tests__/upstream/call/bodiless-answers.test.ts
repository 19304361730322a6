import { setImmediate } from 'node:timers/promises';
import { answers, client, scriptedUpstream, undicis } from '../scripted-upstream';

describe.each(undicis())('an answer that has no body and announces a length, on %s', (_name, undici) => {
  describe.each(['fetch', 'request'] as const)('by %s()', (method) => {
    // RFC 9110, section 8.6: a 304 may tell the length that a 200 would have had. A 204 may not, and some do.
    it.each([304, 204])('is whole where it is a %i, and no failure of its upstream', async (status) => {
      const upstream = await scriptedUpstream((req) => {
        req.socket.write(`HTTP/1.1 ${status} X\r\nETag: "a"\r\nContent-Length: 42\r\n\r\n`);
      });
      const users = client(undici, upstream.origin);

      for (let n = 0; n < 6; n++) {
        const response = await users[method](null, '/', { headers: { 'if-none-match': '"a"' } });
        const { status: fetched, statusCode = fetched } = response as {
          status?: number;
          statusCode?: number;
        };
        const text = 'text' in response ? await response.text() : await response.body.text();
        expect([statusCode, text]).toEqual([status, '']);
      }

      // fetch hands the last one over before it is known to be whole.
      while (users.stats().endpoints[0]!.inFlight > 0) await setImmediate();
      expect(users.stats()).toMatchObject({
        resets: { first: 0, reused: 0 },
        endpoints: [{ requests: 6, failures: 0, inFlight: 0 }],
      });
    });

    it('is a reset where it is a 200', async () => {
      const upstream = await scriptedUpstream((req, res, n) => {
        if (n > 1) answers.ok(req, res);
        else req.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\nok');
      });
      const users = client(undici, upstream.origin);
      const response = await users[method](null, '/');

      const reading = 'text' in response ? response.text() : response.body.text();

      await expect(reading).rejects.toThrow();
      expect(users.stats()).toMatchObject({ resets: { first: 1, reused: 0 } });
    });
  });
});
