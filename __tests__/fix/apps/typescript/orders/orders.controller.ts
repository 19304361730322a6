import type { Request, Response } from 'express';
import { request } from '../lib/request';

interface Order {
  id: number;
}

export class OrdersController {
  public list = async (req: Request, res: Response): Promise<void> => {
    const orders = await request<Order[]>('/orders');
    res.json(orders);
  };

  public create = async (req: Request, res: Response): Promise<void> => {
    const order = await request<Order>('/orders', { method: 'POST', body: JSON.stringify(req.body) });
    res.status(201).json(order);
  };
}
