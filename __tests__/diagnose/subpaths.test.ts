import express from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { diagnose, type Diagnosis, type FaultReport } from 'express-hangup/diagnose';
import { hangupProxy } from 'express-hangup/proxy';
import { upstream as createUpstream } from 'express-hangup/upstream';
import { nativeRequire } from '../fixtures/native-require';
import { serve } from '../fixtures/serve';
import { errorOf } from './clients';
import { cutBody, freePort, ok, rst, scriptedUpstream, silence } from './scripted-upstream';
import { until } from './until';

let diagnosis: Diagnosis;
beforeEach(() => (diagnosis = diagnose()));
afterEach(() => diagnosis.stop());

/** The rows about an upstream: the test's own client is in the same process, and seen as well. */
const rowsOf = (origin: string): FaultReport[] =>
  diagnosis.report().faults.filter(({ upstream }) => upstream?.origin === origin);

/** The rows about an upstream, once there is one. */
async function rowsSoon(origin: string): Promise<FaultReport[]> {
  await until(() => rowsOf(origin).length !== 0);
  return rowsOf(origin);
}

describe.each(['http-proxy-middleware', 'http-proxy-middleware3'])(
  'a proxy by hangupProxy() and %s',
  (name) => {
    async function proxied(target: string): Promise<string> {
      const { createProxyMiddleware } = nativeRequire(name);
      const app = express();
      app.use(hangup({ deadline: 300, grace: 0 }));
      app.use('/api', createProxyMiddleware(hangupProxy({ target })));
      app.use(gatewayErrorHandler());
      return (await serve(app)).url;
    }

    it('tells of a reset', async () => {
      const { origin } = await scriptedUpstream(rst);
      const response = await fetch(`${await proxied(origin)}/api/users?secret=1`);
      await response.text();
      expect(response.status).toBe(502);
      expect(await rowsSoon(origin)).toMatchObject([
        { status: 502, outcome: 'answered', upstream: { verdict: 'UW1', trigger: 'rst', phase: 'waiting' } },
      ]);
    });

    it('tells of an upstream that was silent until the deadline', async () => {
      const { origin } = await scriptedUpstream(silence);
      const response = await fetch(`${await proxied(origin)}/api/users?secret=1`);
      await response.text();
      expect(response.status).toBe(504);
      expect(await rowsSoon(origin)).toMatchObject([
        {
          code: 'DEADLINE_EXCEEDED',
          status: 504,
          upstream: { verdict: 'dW1', trigger: 'deadline', phase: 'waiting' },
        },
      ]);
    });

    it('tells of a refusal', async () => {
      const origin = `http://127.0.0.1:${await freePort()}`;
      const response = await fetch(`${await proxied(origin)}/api/`);
      await response.text();
      expect(response.status).toBe(502);
      expect(await rowsSoon(origin)).toMatchObject([{ status: 502, upstream: { verdict: 'UC-' } }]);
    });

    it('tells of a body that is cut, once', async () => {
      const { origin } = await scriptedUpstream(cutBody('rst'));
      const url = await proxied(origin);
      await errorOf(fetch(`${url}/api/`).then((response) => response.text()));
      await rowsSoon(origin);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(rowsOf(origin)).toMatchObject([{ upstream: { verdict: 'UB1' } }]);
    });
  },
);

it('an error of upstream() carries the attempt and the verdict', async () => {
  const target = await scriptedUpstream(rst);
  const users = createUpstream(target.origin, { retries: 1 });
  const app = express();
  app.use(hangup());
  app.get('/users', (req, res, next) => {
    users
      .fetch(req, '/v1/users')
      .then((response) => res.send(response.status))
      .catch(next);
  });
  app.use(gatewayErrorHandler());
  const { url } = await serve(app);
  const response = await fetch(`${url}/users`);
  await response.text();
  expect(response.status).toBe(502);
  expect(rowsOf(target.origin)[0]).toMatchObject({
    code: 'UPSTREAM_RESET',
    route: '/users',
    upstream: { attempt: 2, verdict: 'UW1', reusedSocket: false },
  });
  target.script = ok;
  await users.close();
});
