// The routes as you would write them with express-hangup: no controller, no timer, no try and catch.
import { pipeline } from 'node:stream/promises';
import express, { Router } from 'express';
import { deadline } from 'express-hangup';
import { orderAt, priceUrl } from './prices.mjs';

export const orders = Router();

orders.get('/order/:trouble', async (req, res) => {
  const answer = await fetch(priceUrl(req), { signal: req.signal });
  res.json(orderAt(await answer.json()));
});

orders.post('/order/:trouble', express.json(), async (req, res) => {
  const answer = await fetch(priceUrl(req), { method: 'POST', signal: req.signal });
  res.status(201).json(orderAt(await answer.json(), req.body.quantity));
});

// Server-sent events: the first may come late, and the stream has no end. No deadline; the signal stays.
orders.get('/prices', deadline(false), async (req, res) => {
  const answer = await fetch(priceUrl(req), { signal: req.signal });
  res.type('text/event-stream').set('Cache-Control', 'no-store');
  await pipeline(answer.body, res);
});
