const express = require('express');

const app = express();
app.use(express.json());

app.get('/orders', async (req, res) => {
  const controller = new AbortController();
  const timeout = setTimeout(() => controller.abort(), 10000);

  // Cancel the upstream request if the client disconnects
  req.on('close', () => {
    clearTimeout(timeout);
    controller.abort();
  });

  try {
    const response = await fetch(`${process.env.API_URL}/orders`, { signal: controller.signal });
    const data = await response.json();
    res.json(data);
  } catch (err) {
    if (err.name === 'AbortError') {
      if (!res.headersSent) res.status(504).json({ error: 'Upstream timed out' });
      return;
    }
    if (!res.headersSent) res.status(502).json({ error: 'Bad gateway' });
  } finally {
    clearTimeout(timeout);
  }
});

app.post('/orders', async (req, res, next) => {
  const abortController = new AbortController();
  req.on('close', () => abortController.abort());
  try {
    const response = await fetch(`${process.env.API_URL}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(req.body),
      signal: abortController.signal,
    });
    res.json(await response.json());
  } catch (error) {
    next(error);
  }
});

module.exports = app;
