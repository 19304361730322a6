import type { Express, RequestHandler, Router } from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, serve } from '../fixtures/serve';

describe.each(expressVersions)('the route in events on %s', (version, express) => {
  const route = (): Router => express.Router().get('/u/:id', fail) as Router;
  const fail: RequestHandler = (_req, _res, next) =>
    next(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));

  async function routesOf(build: (app: Express) => void, paths: string[]): Promise<string[]> {
    const [faults, settled] = [collect('fault'), collect('settle')];
    const app = express();
    app.use(hangup());
    build(app);
    app.use(gatewayErrorHandler());
    const { port } = await serve(app);
    const client = await RawClient.connect(port);
    const routes: string[] = [];
    for (const path of paths) {
      client.request(path);
      expect((await client.response()).status).toBe(502);
      const fault = await faults.next();
      routes.push(fault.route);
      await settled.next();
    }
    client.leave('fin');
    return routes;
  }

  const cases: [string, (app: Express) => void, string[], string[]][] = [
    ['of a route of the app', (app) => app.get('/u/:id', fail), ['/u/SECRET'], ['/u/:id']],
    [
      'below a mount',
      (app) => app.use('/api', route()),
      ['/api/u/1', '/API/u/2'],
      ['/api/u/:id', '/api/u/:id'],
    ],
    [
      'below a mount with a parameter that the router does not merge',
      (app) => app.use('/t/:token', route()),
      ['/t/SECRET/u/1', '/t/t/u/t'],
      ['/t/:token/u/:id', '/t/:token/u/:id'],
    ],
    [
      'below nested mounts',
      (app) => app.use('/a/:x', express.Router().use('/b-:y', route())),
      ['/a/1/b-2/u/3', '/a/b-9/b-a/u/u'],
      ['/a/:x/b-:y/u/:id', '/a/:x/b-:y/u/:id'],
    ],
    [
      'of a router that is mounted twice',
      (app) => {
        const shared = route();
        app.use('/v1/:a', shared);
        app.use('/v2', shared);
      },
      ['/v1/SECRET/u/1', '/v2/u/1'],
      ['/v1/:a/u/:id', '/v2/u/:id'],
    ],
    [
      'of a router that is mounted twice in a mounted app',
      (app) => {
        const shared = route();
        const sub = express().use('/v1/:a', shared).use('/v2', shared).use(gatewayErrorHandler());
        app.use('/sub/:s', sub as unknown as Express);
      },
      ['/sub/SECRET/v1/SECRET/u/1', '/sub/SECRET/v2/u/1'],
      ['/sub/:s/v1/:a/u/:id', '/sub/:s/v2/u/:id'],
    ],
    [
      'of a router that is mounted once more while requests come',
      (app) => {
        const shared = route();
        app.use('/v1', shared).use('/v2', shared);
        app.use('/more', (_req, _res, next) => {
          app.use('/more/:a', shared).use(gatewayErrorHandler());
          next();
        });
      },
      ['/v1/u/1', '/more/SECRET/u/1'],
      ['/v1/u/:id', '/more/:a/u/:id'],
    ],
    [
      'of a mounted app',
      (app) =>
        app.use('/sub/:s', express().use('/r', route()).use(gatewayErrorHandler()) as unknown as Express),
      ['/sub/SECRET/r/u/1'],
      ['/sub/:s/r/u/:id'],
    ],
    [
      'of a mounted app that leaves its errors to the other one',
      (app) => app.use('/sub/:s', express().use('/r', route()) as unknown as Express),
      ['/sub/SECRET/r/u/1'],
      ['/*/u/:id'],
    ],
    ['below the root', (app) => app.use('/', route()), ['/u/1'], ['/u/:id']],
    ['below an expression', (app) => app.use(/\/x+/, route()), ['/xxx/u/1'], ['/\\/x+//u/:id']],
    [
      'below a list of paths',
      (app) => app.use(['/a', '/b/:q'], route()),
      ['/b/SECRET/u/1'],
      ['/a|/b/:q/u/:id'],
    ],
    [
      'below what is no router that Express could tell',
      (app) => {
        const hidden = route();
        app.use('/h/:q', (req, res, next) => hidden(req, res, next));
      },
      ['/h/SECRET/u/1'],
      ['/*/u/:id'],
    ],
  ];

  it.each(cases)('is the pattern %s', async (_what, build, paths, expected) => {
    expect(await routesOf(build, paths)).toEqual(expected);
  });

  it('never holds what the client chose, in the settle event of a request that failed', async () => {
    const settled = collect('settle');
    await routesOf(
      (app) => app.use('/t/:token', express.Router().use('/x', route())),
      ['/t/SECRET/x/u/SECRET'],
    );
    expect(settled.all.map(({ route: pattern }) => pattern)).toEqual(['/t/:token/x/u/:id']);
    expect(version).toMatch(/Express/);
  });

  it('is not looked for at each slash of a path that holds thousands of them', async () => {
    let tried = 0;
    const mount = (pattern: RegExp): RegExp =>
      Object.assign(pattern, {
        exec(path: string) {
          tried++;
          return RegExp.prototype.exec.call(pattern, path);
        },
      });
    const handled = express.Router().get(/^\/+$/, fail) as Router;
    const path = `/second${'/'.repeat(8000)}`;
    const build = (app: Express): unknown =>
      app.use(mount(/^\/first/), handled).use(mount(/^\/second/), handled);
    expect(await routesOf(build, [path])).toEqual(['/^\\/second//^\\/+$/']);
    // Express itself tries each mount; version 4 makes expressions of its own of them.
    expect(tried).toBeLessThan(20);
    expect(tried).toBeGreaterThan(version === 'Express 5' ? 1 : -1);
  });
});
