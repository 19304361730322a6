// A plain Express app before Redis, as one would write it: PORT, REDIS_URL. FAULT=slow leaves the deadline out.
import express from 'express';
import { createClient } from 'redis';

const { PORT, REDIS_URL, FAULT } = process.env;
const DEADLINE = 400;

async function ask(signal) {
  const client = createClient({ url: REDIS_URL, socket: { reconnectStrategy: false } });
  client.on('error', () => undefined);
  const stop = () => client.destroy();
  signal.addEventListener('abort', stop);
  try {
    await client.connect();
    return await client.get('one');
  } finally {
    signal.removeEventListener('abort', stop);
    if (client.isOpen) client.destroy();
  }
}

const app = express();
app.get('/', (_req, res) => res.send('here'));
app.get('/orders', async (_req, res) => {
  const controller = new AbortController();
  const timer = setTimeout(() => FAULT !== 'slow' && controller.abort(), DEADLINE);
  res.on('close', () => {
    clearTimeout(timer);
    controller.abort();
  });
  try {
    res.json({ one: await ask(controller.signal) });
  } catch {
    if (!res.destroyed) res.sendStatus(controller.signal.aborted ? 504 : 502);
  }
});
app.listen(Number(PORT), '127.0.0.1');
