import { Router } from 'express';
import api from '../lib/api.js';

export const ordersRouter = Router();

ordersRouter.get('/', async (req, res) => {
  const [orders] = await Promise.all([api.get('/orders', { params: { limit: 10 } })]);
  res.json(orders);
});

ordersRouter.post('/', async ({ body }, res) => {
  res.status(201).json(await api.post('/orders', body));
});
