import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type express from 'express';

const TIMEOUT_MS = 1000;

/** The same routes with the snippet that is copied from answer to answer. */
export function snippetApp(createApp: typeof express, upstream: string): express.Express {
  const app = createApp();

  app.get('/price', async (req, res, next) => {
    const controller = new AbortController();
    req.on('close', () => controller.abort());
    const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
    try {
      const answer = await fetch(upstream, { signal: controller.signal });
      clearTimeout(timer);
      res.json(await answer.json());
    } catch (error) {
      answerError(error, res, next);
    }
  });

  app.post('/order', createApp.json(), async (req, res, next) => {
    const controller = new AbortController();
    req.on('close', () => controller.abort());
    const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
    try {
      const answer = await fetch(upstream, { method: 'POST', signal: controller.signal });
      clearTimeout(timer);
      res.status(201).json(await answer.json());
    } catch (error) {
      answerError(error, res, next);
    }
  });

  app.get('/stream', async (req, res, next) => {
    const controller = new AbortController();
    req.on('close', () => controller.abort());
    const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
    try {
      const answer = await fetch(upstream, { signal: controller.signal });
      clearTimeout(timer);
      Readable.fromWeb(answer.body as ReadableStream).pipe(res);
    } catch (error) {
      answerError(error, res, next);
    }
  });

  return app;
}

function answerError(error: unknown, res: express.Response, next: express.NextFunction): void {
  if ((error as Error).name === 'AbortError') res.status(504).json({ error: 'Gateway Timeout' });
  else next(error);
}
