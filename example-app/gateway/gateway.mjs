// The gateway: a process of its own. What you would write in your own app is here and in orders.mjs.
import { createServer } from 'node:http';
import express from 'express';
import { drainable, gatewayErrorHandler, hangup, tuneServer } from 'express-hangup';
import { diagnose } from 'express-hangup/diagnose';
import { listen } from '../processes/inside.mjs';
import { orders } from './orders.mjs';
import { plainProxied, proxied } from './proxied.mjs';
import { snippet } from './snippet.mjs';
import { ordersWithUpstream } from './with-upstream.mjs';

const DEADLINE_MS = 1000;
const FRONT_IDLE_MS = Number(process.env.FRONT_IDLE_MS);

const app = express();
const server = createServer(app);
const drain = drainable(server, { delay: 300, timeout: 5000, force: 6000 });
const tuning = tuneServer(server, { loadBalancer: FRONT_IDLE_MS, deadline: DEADLINE_MS, drain });

app.get('/ready', drain.readiness);
// The lab's own server stands before this one, as a proxy: the app says itself who may see the page. Both listen on 127.0.0.1.
app.use('/_hangup', diagnose({ tuning, allow: () => true, file: process.env.FAULTS }).page);

// Without express-hangup, for comparison.
app.use('/snippet', snippet);
app.use('/plain-proxy', plainProxied);

app.use(hangup({ deadline: DEADLINE_MS, stall: 1000 }));
app.use('/ours', orders);
app.use('/upstream', ordersWithUpstream);
app.use('/proxied', proxied);
app.use(gatewayErrorHandler({ onFault: log }));

/** One line for each fault; where diagnose() knows how it came about, in its short code. */
function log({ status, code, upstream }, req) {
  const [path] = req.originalUrl.split('?');
  console.log('gateway:', status, code, req.method, path, upstream?.verdict ?? '');
}

listen(server);
