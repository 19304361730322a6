import { classifyError } from 'express-hangup';
import { setTimeout as idle } from 'node:timers/promises';
import { answers, client, scriptedUpstream, undicis } from '../scripted-upstream';

describe.each(undicis())('what an upstream says before its answer, on %s', (_name, undici) => {
  describe.each(['fetch', 'request'] as const)('by %s()', (method) => {
    it('is passed over, however much it is', async () => {
      const upstream = await scriptedUpstream((req, res) => {
        req.socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(5000));
        res.end('ok');
      });

      const { body } = await client(undici, upstream.origin)[method](null, '/');

      expect(await new Response(body as ReadableStream).text()).toBe('ok');
    });

    it('is an invalid response where it is a 101 that nobody has asked for, and ends the connection', async () => {
      const upstream = await scriptedUpstream((req) => req.socket.write('HTTP/1.1 101 Go\r\n\r\n'));
      const users = client(undici, upstream.origin);
      const error = await users[method](null, '/').then(
        () => undefined,
        (reason: unknown) => reason,
      );

      expect(classifyError(error)?.code).toBe('UPSTREAM_INVALID_RESPONSE');
      await upstream.empty();
    });

    it('shows that a kept socket was not dead: what then breaks is not sent again for nothing', async () => {
      const upstream = await scriptedUpstream((req, res, n) => {
        if (n === 2) res.writeEarlyHints({ link: '</a>; rel=preload' }, () => req.socket.end());
        else answers.ok(req, res);
      });
      const users = client(undici, upstream.origin, { retries: 0 });
      const { body } = await users[method](null, '/');
      await new Response(body as ReadableStream).text();
      // Longer than a socket has to rest to be taken for dead.
      await idle(150);

      await expect(users[method](null, '/')).rejects.toThrow();

      expect(users.stats()).toMatchObject({ replays: 0 });
    });
  });
});
