// The same routes with the snippet that is copied from answer to answer. Nothing of express-hangup touches them.
import { pipeline } from 'node:stream/promises';
import express, { Router } from 'express';
import { orderAt, priceUrl } from './prices.mjs';

const TIMEOUT_MS = 1000;

export const snippet = Router();

snippet.get('/order/:trouble', async (req, res, next) => {
  const c = new AbortController();
  req.on('close', () => c.abort());
  const t = setTimeout(() => c.abort(), TIMEOUT_MS);
  try {
    const answer = await fetch(priceUrl(req), { signal: c.signal });
    clearTimeout(t);
    res.json(orderAt(await answer.json()));
  } catch (error) {
    if (error.name === 'AbortError') res.status(504).json({ error: 'Gateway Timeout' });
    else next(error);
  }
});

snippet.post('/order/:trouble', express.json(), async (req, res, next) => {
  const c = new AbortController();
  req.on('close', () => c.abort());
  const t = setTimeout(() => c.abort(), TIMEOUT_MS);
  try {
    const answer = await fetch(priceUrl(req), { method: 'POST', signal: c.signal });
    clearTimeout(t);
    res.status(201).json(orderAt(await answer.json(), req.body.quantity));
  } catch (error) {
    if (error.name === 'AbortError') res.status(504).json({ error: 'Gateway Timeout' });
    else next(error);
  }
});

snippet.get('/prices', async (req, res, next) => {
  const c = new AbortController();
  req.on('close', () => c.abort());
  const t = setTimeout(() => c.abort(), TIMEOUT_MS);
  try {
    const answer = await fetch(priceUrl(req), { signal: c.signal });
    clearTimeout(t);
    res.type('text/event-stream').set('Cache-Control', 'no-store');
    await pipeline(answer.body, res);
  } catch (error) {
    if (error.name === 'AbortError') res.status(504).json({ error: 'Gateway Timeout' });
    else next(error);
  }
});

// What Express does by itself, without the stack on the terminal. Errors end here, before express-hangup sees them.
// eslint-disable-next-line no-unused-vars -- Express knows an error handler by its four parameters
snippet.use((error, req, res, next) => {
  if (res.headersSent) res.destroy();
  else res.status(500).json({ error: 'Internal Server Error' });
});
