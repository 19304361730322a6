import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type express from 'express';
import { gatewayErrorHandler, hangup } from '../../../index';

/** The same routes with express-hangup. */
export function oursApp(createApp: typeof express, upstream: string): express.Express {
  const app = createApp();
  app.use(hangup({ deadline: 1000 }));

  app.get(
    '/price',
    asyncHandler(async (req, res) => {
      const answer = await fetch(upstream, { signal: req.signal });
      res.json(await answer.json());
    }),
  );

  app.post(
    '/order',
    createApp.json(),
    asyncHandler(async (req, res) => {
      const answer = await fetch(upstream, { method: 'POST', signal: req.signal });
      res.status(201).json(await answer.json());
    }),
  );

  app.get(
    '/stream',
    asyncHandler(async (req, res) => {
      const answer = await fetch(upstream, { signal: req.signal });
      await pipeline(answer.body as ReadableStream, res);
    }),
  );

  app.use(gatewayErrorHandler());
  return app;
}

/** Express 5 takes a handler's rejection by itself; Express 4 needs this. */
function asyncHandler(
  handler: (req: express.Request, res: express.Response) => Promise<void>,
): express.RequestHandler {
  return (req, res, next) => {
    handler(req, res).catch(next);
  };
}
