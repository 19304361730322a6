import type { Request, Response } from 'express';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, serve } from '../fixtures/serve';

type Package = typeof import('../../src');
type Connection = typeof import('../../src/request/lifetime/connection');

/** A copy of this package with a module registry of its own, as where a library brings its own version. */
function load(): Package & Connection {
  let copy: (Package & Connection) | undefined;
  jest.isolateModules(() => {
    copy = {
      ...jest.requireActual<Package>('../../src'),
      ...jest.requireActual<Connection>('../../src/request/lifetime/connection'),
    };
  });
  if (copy === undefined) throw new Error('not loaded');
  return copy;
}

describe.each(expressVersions)('two copies of the package in one app on %s', (_version, express) => {
  async function play(paths: string[]): Promise<{ statuses: number[]; left: number[] }> {
    const [outer, inner] = [load(), load()];
    const left: number[] = [];
    const app = express();
    app.set('env', 'test');
    app.use((req: Request, _res: Response, next: () => void) => {
      left.push([outer, inner].filter(({ newestOn }) => newestOn(req.socket) !== undefined).length);
      next();
    });
    app.use(outer.hangup({ deadline: 10_000 }), inner.hangup({ deadline: 50, grace: 0 }));
    app.get('/ok', (_req, res) => void res.send('ok'));
    app.get('/late', () => undefined);
    app.get('/count', (req, res) => {
      res.json([outer, inner].map(({ newestOn }) => newestOn(req.socket)?.older !== undefined));
    });
    app.use(inner.gatewayErrorHandler(), outer.gatewayErrorHandler());
    const { port } = await serve(app);
    const client = await RawClient.connect(port);
    const statuses: number[] = [];
    for (const path of paths) {
      client.request(path);
      statuses.push((await client.response()).status);
    }
    client.request('/count');
    expect((await client.response()).body).toBe('[false,false]');
    client.leave('fin');
    return { statuses, left };
  }

  it('keep no request that has been answered by its handler', async () => {
    expect(await play(['/ok', '/ok', '/ok'])).toEqual({ statuses: [200, 200, 200], left: [0, 0, 0, 0] });
  });

  it('keep no request behind the one that the other copy has answered', async () => {
    const { statuses, left } = await play(['/late', '/late', '/late']);
    expect(statuses).toEqual([504, 504, 504]);
    expect(Math.max(...left)).toBeLessThan(2);
  });
});
