import { deadline, gatewayErrorHandler } from 'express-hangup';
import { collect } from './fixtures/events';
import { expressVersions, serve } from './fixtures/serve';

describe.each(expressVersions)('docs/how-it-works.md on %s', (_version, express) => {
  it.each([
    [1, 'prints a late error by Express alone, for the way to the error handlers is used up', 1],
    [2, 'prints no late error where gatewayErrorHandler() is mounted twice', 0],
  ])('with %d error handlers %s', async (handlers, _says, printed) => {
    const print = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const late = collect('late-response');
    const app = express();
    app.set('env', 'development');
    let fail = (): void => undefined;
    app.get('/', deadline(20), (_req, _res, next) => {
      fail = () => next(new Error('late'));
    });
    for (let i = 0; i < handlers; i++) app.use(gatewayErrorHandler());
    const { url } = await serve(app);
    expect((await fetch(url, { headers: { Connection: 'close' } })).status).toBe(504);
    fail();
    expect(await late.next()).toMatchObject({ call: 'next' });
    await new Promise(setImmediate);
    expect(print).toHaveBeenCalledTimes(printed);
    print.mockRestore();
  });
});
