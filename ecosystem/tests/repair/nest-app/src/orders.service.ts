import { Injectable } from '@nestjs/common';
import axios from 'axios';

@Injectable()
export class OrdersService {
  private readonly api = axios.create({ baseURL: process.env.API_URL });

  async create(order: unknown): Promise<unknown> {
    const { data } = await this.api.post('/orders', order);
    return data;
  }
}
