// Plays the fault matrix against an app in a process of its own, whose crashes are then no other test's:
// node judge.mjs <folder of the app> <entry> <deadline in ms>
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, entry, deadline] = process.argv.slice(2);
const fromApp = createRequire(join(folder, 'package.json'));
const { conformance, faultyUpstream } = fromApp('express-hangup/testing');
console.error = () => {};

const upstream = await faultyUpstream();
process.env.API_URL = upstream.url;
const path = join(folder, entry);
// TypeScript is translated for require() only.
const loaded = entry.endsWith('.ts') ? { default: fromApp(path) } : await import(pathToFileURL(path).href);
const app = loaded.default.default ?? loaded.default;
const result = await conformance(app, {
  route: '/orders',
  upstream,
  deadline: Number(deadline),
  margin: 700,
});
const { right, wrong, unseen } = result;
process.stdout.write(JSON.stringify({ right, wrong, unseen, table: result.table() }), () => process.exit(0));
