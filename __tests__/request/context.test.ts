import type { Request } from 'express';
import { currentDeadline, currentSignal, hangup } from 'express-hangup';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, serve } from '../fixtures/serve';

describe.each(expressVersions)('the context of a request on %s', (_name, express) => {
  async function answer(
    options: Parameters<typeof hangup>[0],
    handler: (req: Request) => unknown,
  ): Promise<string> {
    const app = express();
    app.use(hangup(options));
    app.post('/', express.json(), (req, res, next) => {
      Promise.resolve(handler(req)).then((value) => res.json(value), next);
    });
    const { port } = await serve(app);
    const client = await RawClient.connect(port);
    const { body } = await client.request('/', { body: '{"a":1}' }).response();
    client.leave('fin');
    return body;
  }

  it('gives signal and deadline to code that has no req', async () => {
    const same = await answer({ context: true, deadline: 1234 }, async (req) => {
      await new Promise(setImmediate);
      return [currentSignal() === req.signal, currentDeadline() === req.deadline, currentDeadline()?.timeout];
    });
    expect(same).toBe('[true,true,1234]');
  });

  it('is not there unless asked for', async () => {
    expect(await answer({}, () => [typeof currentSignal(), typeof currentDeadline()])).toBe(
      '["undefined","undefined"]',
    );
  });
});

it('has no current signal outside a request', () => {
  expect(currentSignal()).toBeUndefined();
  expect(currentDeadline()).toBeUndefined();
});
