// The server that bench/core.mjs measures deadlines by: no route ever answers, so that every answer is a deadline's.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { answer } from './lib/commands.mjs';

const require = createRequire(import.meta.url);
const [entry, deadlineMs] = [process.argv[2], Number(process.argv[3])];
const express = require('express');
const { gatewayErrorHandler, hangup } = require(entry);

const app = express();
/** How long after its deadline each request was answered, in ms. */
const lateness = [];
let waiting = 0;
let mostWaiting = 0;

app.use((req, res, next) => {
  const due = performance.now() + deadlineMs;
  waiting += 1;
  mostWaiting = Math.max(mostWaiting, waiting);
  res.on('finish', () => {
    waiting -= 1;
    lateness.push(performance.now() - due);
  });
  next();
});
app.use(hangup({ deadline: deadlineMs }));
app.get('/', (req) => req.signal);
app.use(gatewayErrorHandler());

const server = createServer({ requestTimeout: 0, keepAliveTimeout: 600_000 }, app);
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  answer({ port: server.address().port }, { result: () => ({ lateness, mostWaiting }) });
});
