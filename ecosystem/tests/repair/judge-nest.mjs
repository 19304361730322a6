// Plays the fault matrix against the Nest app in a process of its own: node judge-nest.mjs <folder> <deadline in ms>
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { conformance, faultyUpstream } from 'express-hangup/testing';

const [folder, deadline] = process.argv.slice(2);
console.error = () => {};
const upstream = await faultyUpstream();
process.env.API_URL = upstream.url;
const { createApp } = (await import(pathToFileURL(join(folder, 'built/main.js')).href)).default;
const app = await createApp();
await app.listen(0, '127.0.0.1');
const { right, wrong, unseen, ...result } = await conformance(app.getHttpServer(), {
  route: '/orders',
  upstream,
  deadline: Number(deadline),
  margin: 700,
  faults: ['ok', 'hang', 'reset', 'refuse'],
  clients: ['stays', 'leaves-fin'],
});
process.stdout.write(JSON.stringify({ right, wrong, unseen, table: result.table() }), () => process.exit(0));
