import { gatewayErrorHandler, hangup } from 'express-hangup';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { aborted, expressVersions, gate, serve } from '../fixtures/serve';

describe.each(expressVersions)('a stalled response on %s', (_name, express) => {
  it('is cut when the handler is silent for too long, with its reason on the signal', async () => {
    const faults = collect('fault');
    const reason = gate<unknown>();
    const app = express();
    app.use(hangup({ stall: 60, grace: 0 }));
    app.get('/', (req, res) => {
      void aborted(req.signal).then(reason.open);
      res.write('half');
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    expect(await client.response()).toMatchObject({ status: 200, body: 'half', complete: false });
    expect(await reason.promise).toMatchObject({
      name: 'TimeoutError',
      code: 'RESPONSE_STALLED',
      status: 504,
      stall: 60,
    });
    expect(await faults.next()).toMatchObject({ code: 'RESPONSE_STALLED', outcome: 'broken' });
    await client.end();
  });

  it('is cut when the client does not read', async () => {
    const faults = collect('fault');
    const app = express();
    app.use(hangup({ stall: 100, grace: 0 }));
    app.get('/', (_req, res) => {
      const more = (): void => {
        while (res.write(Buffer.alloc(1_000_000)));
        res.once('drain', more);
      };
      more();
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = await RawClient.connect(port);
    client.socket.pause();
    client.request('/');
    expect(await faults.next()).toMatchObject({ code: 'RESPONSE_STALLED' });
    client.leave('rst');
  });

  it('is not one while it goes on writing', async () => {
    const app = express();
    app.use(hangup({ stall: 400, deadline: 100 }));
    app.get('/', (_req, res) => {
      let count = 0;
      const timer = setInterval(() => {
        res.write('.');
        if (++count < 15) return;
        clearInterval(timer);
        res.end('done');
      }, 40);
    });
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    expect(await client.response()).toMatchObject({
      status: 200,
      body: `${'.'.repeat(15)}done`,
      complete: true,
    });
    client.leave('fin');
  });

  it('is not one before its headers are out', async () => {
    const app = express();
    app.use(hangup({ stall: 30, deadline: 5000 }));
    app.get('/', (_req, res) => void setTimeout(() => res.send('slow start'), 120));
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = (await RawClient.connect(port)).request('/');
    expect((await client.response()).body).toBe('slow start');
    client.leave('fin');
  });

  it('leaves no idle timeout on the connection, also where the server keeps it alive for ever', async () => {
    const app = express();
    app.get('/stall', hangup({ stall: 50 }), (_req, res) => void res.send('one'));
    app.get('/slow', (_req, res) => void setTimeout(() => res.send('two'), 150));
    const { port, server } = await serve(app);
    server.keepAliveTimeout = 0;
    const client = await RawClient.connect(port);
    client.request('/stall').request('/slow');
    expect((await client.response()).body).toBe('one');
    expect((await client.response()).body).toBe('two');
    client.leave('fin');
  });
});
