import { Body, Controller, Get, Headers, NotFoundException, Param, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { OrdersService } from './orders.service';

@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Get()
  async list(@Req() req: Request, @Headers('accept-language') language?: string): Promise<unknown> {
    const answer = await fetch(`${process.env.API_URL}/orders`, {
      headers: { 'accept-language': language ?? 'en', 'user-agent': req.get('user-agent') ?? '' },
    });
    return answer.json();
  }

  @Post()
  async create(@Body() order: unknown): Promise<unknown> {
    return this.orders.create(order);
  }

  @Get(':id')
  one(@Param('id') id: string): never {
    throw new NotFoundException(`There is no order ${id}.`);
  }
}
