// An app with Sentry's lines of docs/works-with.md, and OpenTelemetry's server spans.
import { once } from 'node:events';
import { createServer } from 'node:http';
import * as Sentry from '@sentry/node';
import axios from 'axios';
import express from 'express';
import { hangup } from 'express-hangup';
import { runSection } from '../page.mjs';

const upstream = createServer((req) => (req.url === '/reset' ? req.socket.resetAndDestroy() : undefined));
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const origin = `http://127.0.0.1:${upstream.address().port}`;

const app = express();
app.set('env', 'test');
app.use(hangup({ deadline: 150, grace: 20 }));
const call = async (req, path) => {
  process.send({ arrived: req.path });
  return fetch(`${origin}${path}`, { signal: req.signal });
};
app.get('/reset', (req) => call(req, '/reset'));
app.get('/late', (req) => call(req, '/hang'));
// axios gives its own error, which has no status: nothing in it says that nobody waits.
app.get('/left', (req) => {
  process.send({ arrived: req.path });
  return axios.get(`${origin}/hang`, { signal: req.signal });
});
app.get('/missing', () => {
  throw Object.assign(new Error('no such thing'), { status: 404 });
});
app.get('/bug', () => {
  throw new Error('bug');
});
runSection('Sentry', { app, Sentry }, { at: 1 });
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
