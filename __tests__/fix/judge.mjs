// Plays the fault matrix against an app in a process of its own, whose crashes are then no other test's:
// node judge.mjs <folder of the app> <entry> <deadline in ms> <part of the matrix, as JSON>
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, entry, deadline, part] = process.argv.slice(2);
const matrix = JSON.parse(part);
/** As many as the matrix has for one method. */
const cellsOfAMethod = matrix.faults ? matrix.faults.length * matrix.clients.length : 64;
const fromApp = createRequire(join(folder, 'package.json'));
const { conformance, faultyUpstream } = fromApp('express-hangup/testing');
console.error = () => {};

const upstream = await faultyUpstream();
process.env.API_URL = upstream.url;
const path = join(folder, entry);
// TypeScript is translated for require() only.
const loaded = entry.endsWith('.ts') ? { default: fromApp(path) } : await import(pathToFileURL(path).href);
const app = loaded.default.default ?? loaded.default;
const total = { right: 0, wrong: 0, unseen: 0, table: '' };
for (const method of ['GET', 'POST']) {
  try {
    const result = await conformance(app, {
      route: '/orders',
      methods: [method],
      upstream,
      deadline: Number(deadline),
      margin: 700,
      ...matrix,
    });
    for (const verdict of ['right', 'wrong', 'unseen']) total[verdict] += result[verdict];
    total.table += `${result.table()}\n`;
  } catch (error) {
    // A method that fails while all is well is not judged cell by cell: it is wrong in each.
    total.wrong += cellsOfAMethod;
    total.table += `${method}: ${error.message}\n`;
  }
}
process.stdout.write(JSON.stringify(total), () => process.exit(0));
