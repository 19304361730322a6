import express from 'express';
import { gatewayErrorHandler, hangup, type FaultEvent } from 'express-hangup';
import type { Upstream, UpstreamOptions } from 'express-hangup/upstream';
import { UPSTREAM_DEFAULTS } from '../../src/upstream/settings/settings';
import { collect } from '../fixtures/events';
import { serve } from '../fixtures/serve';
import { answers, client, runsUndici8, scriptedUpstream, undicis } from './scripted-upstream';

const clients: Upstream[] = [];

/** The public function, with the undici that the app has. */
function upstream(origin: string, options?: UpstreamOptions): Upstream {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- anew after `jest.resetModules()`
  const made = (require('express-hangup/upstream') as typeof import('express-hangup/upstream')).upstream(
    origin,
    options,
  );
  clients.push(made);
  return made;
}

afterEach(() => {
  for (const made of clients.splice(0)) void made.close();
});

describe('upstream()', () => {
  const make = (options: unknown) => () => upstream('http://users:3001', options as UpstreamOptions);

  it('takes no options, or some, or all', () => {
    expect(make(undefined)).not.toThrow();
    expect(make({})).not.toThrow();
    expect(
      make({
        keepAlive: 2000,
        retries: 0,
        attempt: 800,
        connections: 20,
        connect: { timeout: 500, rejectUnauthorized: true },
      }),
    ).not.toThrow();
    expect(make({ keepAlive: false, attempt: false, connections: Infinity, retries: 10 })).not.toThrow();
  });

  it.each<[unknown, ErrorConstructor, RegExp]>([
    [null, TypeError, /the options is null, but must be an object/],
    [{ keepalive: 1000 }, TypeError, /there is no option "keepalive"\. Did you mean "keepAlive"\?/],
    [{ keepAlive: '4000' }, TypeError, /"keepAlive" is the string '4000'.* convert it with Number/],
    [{ keepAlive: 0 }, RangeError, /"keepAlive" is 0, but must be .* or false for none/],
    [{ keepAlive: NaN }, RangeError, /"keepAlive" is NaN/],
    [{ keepAlive: 2 ** 31 }, RangeError, /"keepAlive" is 2147483648/],
    [{ retries: -1 }, RangeError, /"retries" is -1, but must be a whole number from 0 to 10/],
    [{ retries: 1.5 }, RangeError, /"retries" is 1\.5/],
    [{ retries: 11 }, RangeError, /"retries" is 11/],
    [{ retries: false }, TypeError, /"retries" is false/],
    [{ attempt: -5 }, RangeError, /"attempt" is -5/],
    [{ attempt: true }, TypeError, /"attempt" is true/],
    [{ connections: 0 }, RangeError, /"connections" is 0/],
    [{ connections: '10' }, TypeError, /"connections" is the string '10'/],
    [{ connect: 'tls' }, TypeError, /"connect" is the string 'tls'/],
    [{ connect: null }, TypeError, /"connect" is null/],
    [{ connect: [] }, TypeError, /"connect" is an array/],
    [{ connect: { timeout: '5s' } }, TypeError, /"connect\.timeout" is the string '5s'/],
    [{ connect: { timeout: -1 } }, RangeError, /"connect\.timeout" is -1, but must be .* from 0 to/],
    [{ outlierDetection: true }, TypeError, /"outlierDetection" is true, but must be an object, or false/],
  ])('refuses %j', (options, kind, message) => {
    expect(make(options)).toThrow(kind);
    expect(make(options)).toThrow(message);
  });

  it.each<[object, ErrorConstructor, RegExp]>([
    [{ retries: -1 }, RangeError, /"retries" is -1/],
    [{ attempt: '100' }, TypeError, /"attempt" is the string '100'/],
    [{ idempotent: 'yes' }, TypeError, /"idempotent" is the string 'yes', but must be true or false/],
  ])('refuses %j for a single call', async (init, kind, message) => {
    const call = upstream('http://127.0.0.1:9').fetch(null, '/', init);
    await expect(call).rejects.toThrow(kind);
    await expect(call).rejects.toThrow(message);
  });

  it('names its origin', () => {
    expect(upstream('http://USERS:80/').origin).toBe('http://users');
  });

  it('has the defaults that its documentation names', () => {
    expect(UPSTREAM_DEFAULTS).toEqual({ keepAlive: 4000, retries: 2, attempt: false, connections: Infinity });
    expect(upstream('http://users:3001').stats()).toEqual({
      origin: 'http://users:3001',
      requests: 0,
      retries: 0,
      replays: 0,
      resets: { first: 0, reused: 0 },
      budget: 10,
      keepAlive: { limit: 4000, learned: false },
      endpoints: [
        {
          origin: 'http://users:3001',
          requests: 0,
          failures: 0,
          inFlight: 0,
          ejected: false,
          ejections: 0,
          resets: { first: 0, reused: 0 },
          keepAlive: { limit: 4000, learned: false },
        },
      ],
    });
  });

  it('counts what happens', async () => {
    const { origin } = await scriptedUpstream((req, res, n) =>
      n === 1 ? answers.reset(req) : answers.ok(req, res),
    );
    const users = upstream(origin);
    await users.fetch(null, '/');
    await users.fetch(null, '/');
    expect(users.stats()).toMatchObject({
      requests: 2,
      retries: 1,
      resets: { first: 1, reused: 0 },
      budget: 9.2,
    });
  });
});

describe('the undici of the app', () => {
  beforeEach(() => {
    jest.resetModules();
  });
  afterEach(() => {
    jest.dontMock('undici');
    jest.dontMock('undici/package.json');
  });

  it('is asked for where it is missing', () => {
    jest.doMock('undici', () => {
      throw Object.assign(new Error("Cannot find module 'undici'\nRequire stack: …"), {
        code: 'MODULE_NOT_FOUND',
      });
    });
    expect(() => upstream('http://users:3001')).toThrow(
      'express-hangup/upstream needs undici, which is not installed. ' +
        'Run "npm install undici@7" on Node 20, or "npm install undici@8" on Node 22.19 and later.',
    );
  });

  it('is explained where it does not run on this Node', () => {
    const cause = new TypeError("Cannot read properties of undefined (reading 'bind')");
    jest.doMock('undici', () => {
      throw cause;
    });
    let error: any;
    try {
      upstream('http://users:3001');
    } catch (e) {
      error = e;
    }
    expect(error.message).toMatch(
      `the installed one cannot be loaded on Node ${process.version}. Run "npm install undici@7"`,
    );
    expect(error.cause).toBe(cause);
  });

  it('is refused where it is too old', () => {
    jest.doMock('undici/package.json', () => ({ version: '6.21.0' }));
    expect(() => upstream('http://users:3001')).toThrow(
      /needs undici 7 or 8, but undici 6\.21\.0 is installed\. Run/,
    );
  });

  it('is not loaded by an import alone', () => {
    const load = jest.fn(() => ({}));
    jest.doMock('undici', load);
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- the import is what is tested
    require('express-hangup/upstream');
    expect(load).not.toHaveBeenCalled();
  });

  const onItsNode = runsUndici8 ? it : it.skip;

  onItsNode('can be 7 or 8, which are both tested (8 needs Node 22.19 or later)', () => {
    // eslint-disable-next-line jest/no-standalone-expect -- it is in a test
    expect(undicis()).toHaveLength(2);
  });
});

describe.each(undicis())('what a call is rejected with, on %s', (_name, undici) => {
  it.each<[string, keyof typeof answers | undefined, number, string, number]>([
    ['refused', undefined, 502, 'UPSTREAM_REFUSED', 3],
    ['reset', 'reset', 502, 'UPSTREAM_RESET', 3],
    ['closed', 'fin', 502, 'UPSTREAM_RESET', 3],
    ['answered with what is not HTTP', 'garbage', 502, 'UPSTREAM_INVALID_RESPONSE', 1],
    ['not answered within its attempts', 'silence', 504, 'UPSTREAM_TIMEOUT', 3],
  ])(
    'names the origin and the try when it was %s, and tells the client neither',
    async (_what, fault, status, code, attempt) => {
      jest.spyOn(Math, 'random').mockReturnValue(0);
      const { origin, server } = await scriptedUpstream(answers[fault ?? 'ok']);
      if (fault === undefined) await new Promise((resolve) => server.close(resolve));
      const users = client(undici, origin, { attempt: fault === 'silence' && 40 });
      const faults = collect<FaultEvent>('fault');
      const app = express().set('env', 'test');
      app.use(hangup());
      app.get('/', async (req, res) => res.json(await (await users.fetch(req, '/secret-path')).json()));
      app.use(gatewayErrorHandler());
      const { port } = await serve(app);
      const response = await fetch(`http://127.0.0.1:${port}/`);
      expect(response.status).toBe(status);
      const text = JSON.stringify([...response.headers, await response.text()]);
      expect(text).toContain(code);
      expect(text).not.toMatch(/secret-path|attempt/);
      expect(text).not.toContain(new URL(origin).host);

      const { error, upstream: info } = await faults.next();
      expect(info).toMatchObject({ origin, attempt });
      expect(error).toMatchObject({ name: 'TypeError', message: 'fetch failed' });
      const { cause } = error as { cause: Error };
      expect(cause.message).toContain(`GET ${origin}, attempt ${attempt}`);
      expect(cause.message).not.toContain('secret-path');
      expect((cause as NodeJS.ErrnoException).code).toBe((cause.cause as NodeJS.ErrnoException).code);
      jest.restoreAllMocks();
    },
  );
});
