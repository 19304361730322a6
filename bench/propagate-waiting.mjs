// 40,000 requests wait at the same time for a call that no one answers, and then all clients leave: what each holds, how much
// CPU time it takes until all of the calls have ended, and what is left afterwards. With `propagate: true`, and with the signal
// passed by hand. The sockets are streams in memory, because a process cannot open as many real ones.
//
//   npm run build && node bench/propagate-waiting.mjs [--quick] [--node <path>]
import http from 'node:http';
import { createRequire } from 'node:module';
import { Duplex } from 'node:stream';
import { readCommandLine } from './lib/command-line.mjs';
import { answer } from './lib/commands.mjs';
import { startProcess } from './lib/measured-process.mjs';
import { table, versionOf } from './lib/report.mjs';

const [subject] = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const SUBJECTS = {
  'context, signal passed': { options: { context: true }, passes: true },
  propagate: { options: { propagate: true }, passes: false },
};
if (process.connected && SUBJECTS[subject]) measured(SUBJECTS[subject]);
else await measure();

async function measure() {
  const { quick, node } = readCommandLine();
  const count = quick ? 200 : 40_000;
  for (const path of node) {
    const rows = [];
    for (const name of Object.keys(SUBJECTS)) {
      const child = await startProcess(new URL(import.meta.url).pathname, { node: path, args: [name] });
      // Whatever is made only once is made before the first measurement.
      await child.call('ask', 500);
      await child.call('leave');
      const before = (await child.memory()).heapUsed;
      await child.call('ask', count);
      const waiting = (await child.memory()).heapUsed;
      const { ms, ended } = await child.call('leave');
      const after = (await child.memory()).heapUsed;
      if (ended !== count)
        throw new Error(`${name}: ${ended} of ${count} calls have ended with the request's reason`);
      rows.push([
        name,
        ((waiting - before) / count / 1000).toFixed(2),
        ms.toFixed(0),
        ((after - before) / count / 1000).toFixed(2),
      ]);
      await child.stop();
    }
    const headings = [
      '',
      'kB for each that waits',
      'ms of CPU time until all calls have ended',
      'kB for each afterwards',
    ];
    console.log(`\nNode ${versionOf(path)}, ${count} requests that wait\n\n${table(headings, rows)}`);
  }
}

function measured({ options, passes }) {
  const require = createRequire(import.meta.url);
  const express = require('express');
  const { currentSignal, hangup } = require('express-hangup');
  let clients = [];
  let [calling, ended, closed] = [0, 0, 0];
  let onChange = () => {};
  const until = (isSo) =>
    new Promise((resolve) => {
      onChange = () => isSo() && resolve();
      onChange();
    });
  const agent = new http.Agent();
  agent.createConnection = silent;

  const app = express()
    .use(hangup({ deadline: 600_000, ...options }))
    .get('/', () => {
      const signal = passes ? currentSignal() : undefined;
      const call = http.get('http://upstream/', { agent, signal });
      call.on('error', (error) => {
        if ((error.cause ?? error).code === 'CLIENT_CLOSED_REQUEST') ended += 1;
      });
      call.on('close', () => {
        closed += 1;
        onChange();
      });
      calling += 1;
      onChange();
    });
  const server = http.createServer({ requestTimeout: 0, headersTimeout: 0 }, app);

  answer(
    {},
    {
      async ask(count) {
        [calling, ended, closed] = [0, 0, 0];
        clients = Array.from({ length: count }, () => {
          const socket = silent();
          server.emit('connection', socket);
          socket.push('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
          return socket;
        });
        await until(() => calling === count);
      },
      async leave() {
        const count = clients.length;
        const before = process.cpuUsage();
        for (const socket of clients) socket.push(null);
        clients = [];
        await until(() => closed === count);
        const { user, system } = process.cpuUsage(before);
        return { ms: (user + system) / 1000, ended };
      },
    },
  );
}

/** A socket whose peer reads everything and sends nothing. */
function silent() {
  return new Duplex({ read() {}, write: (chunk, encoding, done) => done() });
}
