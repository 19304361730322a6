import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

const app = express();

app.get('/health', (req, res) => {
  res.json({ status: 'up' });
});

app.use(
  createProxyMiddleware({
    target: process.env.API_URL,
    changeOrigin: true,
    pathFilter: '/orders',
  }),
);

export default app;
