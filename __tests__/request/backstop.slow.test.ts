import type { ErrorRequestHandler } from 'express';
import { hangup } from 'express-hangup';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, serve } from '../fixtures/serve';

describe.each(expressVersions)('the backstop behind error handlers on %s', (_version, express) => {
  it('lets one stream for longer than 5 s, as long as it makes progress', async () => {
    const app = express();
    app.set('env', 'test');
    app.use(hangup({ deadline: 30, grace: 0 }));
    app.get('/', () => undefined);
    app.use(((_error, _req, res, _next) => {
      res.status(504);
      let count = 0;
      const timer = setInterval(() => {
        res.write('.');
        if (++count < 14) return;
        clearInterval(timer);
        res.end('done');
      }, 450);
    }) as ErrorRequestHandler);
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    const answer = await client.response();
    client.leave('fin');
    expect(answer).toMatchObject({ status: 504, body: `${'.'.repeat(14)}done`, complete: true });
  });
});
