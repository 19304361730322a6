import express from 'express';

export const app = express();

app.get('/orders', async (req, res) => {
  const response = await fetch(`${process.env.API_URL}/orders`);
  const data = await response.json();
  res.json(data);
});

app.post('/orders', express.json(), async (req, res) => {
  const response = await fetch(`${process.env.API_URL}/orders`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(req.body),
  });
  res.status(response.status).json(await response.json());
});

export default app;
