import express from 'express';
import { ordersRouter } from './routes/orders.js';

const app = express();
app.use(express.json());
app.use('/orders', ordersRouter);

export default app;
