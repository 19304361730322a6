// The order page once more, with upstream(): calls that expect dead sockets.
import { Router } from 'express';
import { upstream } from 'express-hangup/upstream';
import { NOBODY, orderAt, PRICES, priceUrl } from './prices.mjs';

const services = new Map([PRICES, NOBODY].map((origin) => [origin, upstream(origin, { retries: 4 })]));

export const ordersWithUpstream = Router();

ordersWithUpstream.get('/order/:trouble', async (req, res) => {
  const { origin, pathname, search } = priceUrl(req);
  const answer = await services.get(origin).fetch(req, pathname + search);
  res.json(orderAt(await answer.json()));
});
