// npm start: a price service, a gateway that needs it, and a front with a page. Ctrl-C ends all of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { createFront } from './front/front.mjs';
import { Gateways } from './front/gateways.mjs';
import { createLab } from './front/lab.mjs';
import { Reports } from './front/leavers.mjs';
import { Trials } from './front/trials.mjs';
import { greeting } from './greeting.mjs';
import { listen, urlOfNobody } from './ports.mjs';
import { startPriceService } from './price-service/supervise.mjs';
import './processes/output.mjs';
import { stopProcesses } from './processes/start-process.mjs';

const FRONT_IDLE_MS = 10_000;

// The port first, so that a taken port is reported at once. A request that comes too early waits.
const app = express().disable('x-powered-by');
let open;
const isOpen = new Promise((resolve) => (open = resolve));
app.use((req, res, next) => isOpen.then(next));
const server = createServer(app);
const url = await listen(server);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);

// The gateways write their faults here, so that those of one that has ended are still known.
const folder = mkdtempSync(join(tmpdir(), 'express-hangup-example-'));
const faults = join(folder, 'faults.jsonl');
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const trials = new Trials();
const priceService = await startPriceService({
  onMessage: (message) => trials.priceServiceSays(message),
  onEnd: () => trials.priceServiceEnded(),
});
const gateways = new Gateways({
  PRICES: priceService.url,
  NOBODY: await urlOfNobody(),
  FRONT_IDLE_MS,
  FAULTS: faults,
});
await gateways.start();

app.use(createLab({ trials, gateways, priceService, reports: new Reports(), url, faults }));
app.use(
  createFront({
    idleMs: FRONT_IDLE_MS,
    pick: () => gateways.pick(),
    onEnd: (trial, end) => trials.clientEnded(trial, end),
  }),
);
open();
console.log(greeting(url));

/** The front first: after that, no client is left for whom a gateway would have to finish an answer. */
async function stop() {
  server.close();
  server.closeAllConnections();
  await stopProcesses();
  process.exit(0);
}
