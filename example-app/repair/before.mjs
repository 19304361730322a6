// An app as it is often found. Nothing runs it: `npx express-hangup fix` shows what it would make of it.
import axios from 'axios';
import express from 'express';

const app = express();

app.get('/orders/:id', async (req, res) => {
  const stock = await axios.get(`http://127.0.0.1:3001/stock/${req.params.id}`);
  const price = await fetch(`http://127.0.0.1:3002/prices/${req.params.id}`);
  res.json({ stock: stock.data, price: await price.json() });
});

app.get('/report', async (req, res, next) => {
  const controller = new AbortController();
  req.on('close', () => controller.abort());
  try {
    const report = await fetch('http://127.0.0.1:3001/report', { signal: controller.signal });
    res.json(await report.json());
  } catch (error) {
    next(error);
  }
});

app.listen(3000);
