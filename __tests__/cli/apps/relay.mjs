// An app that passes on what its upstream says, without any package: `PORT=3000 API_URL=http://… node relay.mjs`. FAULT makes
// it wrong: `crash` ends the process where the upstream fails, `500` answers that. HOST is where it listens; CHATTY is how many
// bytes it writes for each request; `GET /`, which only asks whether it is there, is answered after SLOW milliseconds, and
// with ENDLESS by a stream. With TLS_KEY and TLS_CERT it speaks HTTPS. With NOTE it writes its port to that file, and its port
// again in place of ending where it is told to end.
import { appendFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';

const { PORT, API_URL, FAULT, HOST = '127.0.0.1', CHATTY = '0', SLOW, ENDLESS } = process.env;
const { TLS_KEY: key, TLS_CERT: cert, NOTE } = process.env;
if (NOTE !== undefined) {
  appendFileSync(NOTE, `${PORT}\n`);
  process.on('SIGTERM', () => appendFileSync(NOTE, `${PORT}\n`));
}

const create = (listener) => (key ? createHttpsServer({ key, cert }, listener) : createServer(listener));

create((req, res) => {
  if (CHATTY !== '0') process.stdout.write('x'.repeat(Number(CHATTY)));
  if (SLOW !== undefined && req.url === '/') {
    setTimeout(() => res.end(), Number(SLOW));
    return;
  }
  if (ENDLESS !== undefined && req.url === '/') {
    res.write('data: 1\n\n');
    return;
  }
  const up = get(`${API_URL}${req.url}`, (answer) => {
    let text = '';
    answer.on('data', (bytes) => (text += bytes));
    answer.on('end', () => res.end(text));
    answer.on('error', fail);
  });
  const timer = setTimeout(() => {
    fail('late');
    up.destroy();
  }, 300);
  res.on('close', () => {
    clearTimeout(timer);
    up.destroy();
  });
  up.on('error', fail);
  function fail(error) {
    if (FAULT === 'crash' && error !== 'late') throw error;
    if (!res.headersSent) res.writeHead(FAULT === '500' ? 500 : error === 'late' ? 504 : 502).end();
  }
}).listen(Number(PORT), HOST);
