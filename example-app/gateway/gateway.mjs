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

const app = express();
const server = createServer(app);
const { readiness } = drainable(server, { delay: 300, timeout: 5_000, force: 6_000 });
tuneServer(server, { loadBalancer: Number(process.env.FRONT_IDLE_MS) });

app.get('/ready', readiness);
app.use('/_hangup', diagnose().page);

// Without express-hangup, for comparison.
app.use('/snippet', snippet);
app.use('/plain-proxy', plainProxied);

app.use(hangup({ deadline: 1000, stall: 1000 }));
app.use('/ours', orders);
app.use('/upstream', ordersWithUpstream);
app.use('/proxied', proxied);
app.use(gatewayErrorHandler({ onFault: log }));

function log({ status, code }, req) {
  console.log(`gateway: ${status} ${code} ${req.method} ${req.originalUrl.split('?')[0]}`);
}

listen(server);
