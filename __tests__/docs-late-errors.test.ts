import { deadline, gatewayErrorHandler } from 'express-hangup';
import { collect } from './fixtures/events';
import { expressVersions, serve } from './fixtures/serve';

/** More turns of the event loop than a router and Express's last handler take together. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
}

describe.each(expressVersions)('docs/how-it-works.md on %s', (_version, express) => {
  it.each<[number, string, number, (said: Promise<void>) => Promise<void>]>([
    [
      1,
      'prints a late error by Express alone, for the way to the error handlers is used up',
      1,
      (said) => said,
    ],
    [2, 'prints no late error where gatewayErrorHandler() is mounted twice', 0, someTurns],
  ])('with %d error handlers %s', async (handlers, _says, printed, settled) => {
    const print = jest.spyOn(console, 'error');
    const said = new Promise<void>((resolve) => void print.mockImplementation(() => resolve()));
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
    await settled(said);
    expect(print).toHaveBeenCalledTimes(printed);
    print.mockRestore();
  });
});
