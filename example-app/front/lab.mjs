// What the page asks for: its files, reports on its requests, and the two buttons that restart something.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';
import { createDatabaseLab } from './database-lab.mjs';
import { deploy, restartPriceService } from './experiments.mjs';
import { repair } from './repair.mjs';

const PAGE = fileURLToPath(new URL('../page', import.meta.url));
const SOURCES = ['../gateway', '../database'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
const PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

/** The page at /, its requests at /lab, the sources at /lab/source. */
export function createLab(parts) {
  const { trials, gateways, priceService } = parts;
  const oneAtATime = createTurnstile(trials);
  const lab = Router();

  lab.get('/trials/:id', async (req, res) => {
    const report = await trials.report(req.params.id);
    if (report === undefined) res.status(404).json({ error: 'No request with this mark has ended.' });
    else res.json(report);
  });
  lab.get('/trials/:id/at-work', async (req, res) => {
    res.json(await trials.isAtWork(req.params.id));
  });
  lab.post('/restart-price-service', oneAtATime, async (req, res) => {
    res.json(await restartPriceService(parts));
  });
  lab.post('/deploy', oneAtATime, async (req, res) => {
    res.json(await deploy(parts, { drain: req.query.drain !== 'no' }));
  });
  // One JSON object a line; the file is there from the first fault on.
  lab.get('/faults', async (req, res) => {
    res.type('text/plain').send(await readFile(parts.faults, 'utf8').catch(() => ''));
  });
  lab.get('/repair', async (req, res) => {
    res.json(await repair());
  });
  lab.get('/processes', (req, res) => {
    res.json({ front: process.pid, gateway: gateways.newest.pid, priceService: priceService.pid });
  });
  lab.use('/database', createDatabaseLab(parts.reports));
  for (const source of SOURCES) lab.use('/source', express.static(source, { setHeaders: asText }));
  lab.use((req, res) => res.status(404).json({ error: 'The lab has no such page.' }));

  const pages = express.static(PAGE, { setHeaders: (res) => res.set(PAGE_HEADERS) });
  return Router().use('/lab', lab).use(pages);
}

/** Lets one request through at a time: two restarts at once would show nothing. Notes when something is being restarted. */
function createTurnstile(trials) {
  let isTaken = false;
  return function turnstile(req, res, next) {
    if (isTaken) {
      res.status(409).json({ error: 'Something is being restarted already.' });
      return;
    }
    isTaken = true;
    const restartEnds = trials.restartBegins();
    res.on('close', () => {
      isTaken = false;
      restartEnds();
    });
    next();
  };
}

function asText(res) {
  res.set({ ...PAGE_HEADERS, 'Content-Type': 'text/plain; charset=utf-8' });
}
