// Runs as a process of its own: one of the demo's apps, on any free port of the loopback interface.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type express from 'express';
import { oursApp } from './apps/ours';
import { plainApp } from './apps/plain';
import { snippetApp } from './apps/snippet';
import type { StackName } from './stack';

const APPS = { plain: plainApp, snippet: snippetApp, ours: oursApp };

const [name, expressPath, upstream] = process.argv.slice(2) as [StackName, string, string];
const createApp = createRequire(__filename)(expressPath) as typeof express;
const server = createServer(APPS[name](createApp, upstream));
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
// Whoever asks learns that this process still runs.
process.on('message', () => process.send?.({ isAlive: true }));
process.on('disconnect', () => process.exit());
