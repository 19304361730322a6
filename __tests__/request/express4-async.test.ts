import asyncHandler from 'express-async-handler';
import type { Request } from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { collect } from '../fixtures/events';
import { RawClient } from '../fixtures/raw-client';
import { expressVersions, gate, serve } from '../fixtures/serve';

const [, express4] = expressVersions[1];

it('survives a client that leaves an async handler of Express 4 that is wrapped as the README says', async () => {
  const faults = collect('fault');
  const rejections: unknown[] = [];
  const onRejection = (error: unknown): number => rejections.push(error);
  process.on('unhandledRejection', onRejection);
  const silent = await serve(() => undefined);
  const arrived = gate<Request>();
  const app = express4();
  app.use(hangup());
  app.get(
    '/',
    asyncHandler(async (req, res) => {
      const answer = fetch(silent.url, { signal: req.signal });
      arrived.open(req);
      res.json(await (await answer).json());
    }),
  );
  app.use(gatewayErrorHandler());
  const { port } = await serve(app);
  const client = (await RawClient.connect(port)).request('/');
  await arrived.promise;
  client.leave('fin');
  expect(await faults.next()).toMatchObject({ code: 'CLIENT_CLOSED_REQUEST', outcome: 'discarded' });
  await new Promise(setImmediate);
  process.off('unhandledRejection', onRejection);
  expect(rejections).toEqual([]);
});
