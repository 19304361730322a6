import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type express from 'express';

/** The demo's routes as Express alone has them. */
export function plainApp(createApp: typeof express, upstream: string): express.Express {
  const app = createApp();

  app.get('/price', async (req, res) => {
    const answer = await fetch(upstream);
    res.json(await answer.json());
  });

  app.post('/order', createApp.json(), async (req, res) => {
    const answer = await fetch(upstream, { method: 'POST' });
    res.status(201).json(await answer.json());
  });

  app.get('/stream', async (req, res) => {
    const answer = await fetch(upstream);
    Readable.fromWeb(answer.body as ReadableStream).pipe(res);
  });

  return app;
}
