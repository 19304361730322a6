/**
 * A service of a chain, in a process of its own: `node -r esbuild-register chain-service.ts [<origin of the next>]`. It
 * calls the next service, or, if it is the last, works until it is told to stop; and tells its parent what happens.
 */
import type { AddressInfo } from 'node:net';
import express from 'express';
import { gatewayErrorHandler, hangup } from '../../../src/index';
import { upstream } from '../../../src/upstream/index';

/** What a service tells. The clock of `process.hrtime()` is the machine's, the same in all processes. */
export type ChainMessage =
  | { what: 'listening'; port: number; date: number }
  | { what: 'request'; timeout: number }
  | { what: 'aborted'; code: string; at: number };

const tell = (message: ChainMessage): void => void process.send?.(message);
const [, , next, deadline = '25000'] = process.argv;

const app = express().set('env', 'test');
app.use(hangup({ deadline: Number(deadline), inherit: true }));
app.get('/work', (req, _res, nextHandler) => {
  const { signal } = req;
  signal.addEventListener('abort', () => {
    tell({ what: 'aborted', code: (signal.reason as { code: string }).code, at: machineMs() });
  });
  tell({ what: 'request', timeout: req.deadline.timeout });
  nextHandler();
});
if (next) {
  const service = upstream(next);
  app.use(async (req, res) => {
    const response = await service.fetch(req, req.url);
    res.status(response.status).send(await response.text());
  });
} else {
  app.get('/work', () => undefined);
  app.get('/warm', (_req, res) => void res.end());
}
app.use(gatewayErrorHandler());
const server = app.listen(0, '127.0.0.1', () => {
  tell({ what: 'listening', port: (server.address() as AddressInfo).port, date: Date.now() });
});

function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
