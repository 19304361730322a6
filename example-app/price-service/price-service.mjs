// The upstream: a service that knows prices. How it behaves is in the path: /price/ok, /price/hang, /price/reset …
import { createServer } from 'node:http';
import { URLSearchParams } from 'node:url';
import { listen } from '../processes/inside.mjs';
import { reportTrial } from './report-trial.mjs';
import { behaviours } from './behaviours.mjs';

const server = createServer((req, res) => {
  const [path, query] = req.url.split('?');
  const name = path.replace('/price/', '');
  if (!Object.hasOwn(behaviours, name)) {
    res.writeHead(404).end();
    return;
  }
  reportTrial(new URLSearchParams(query).get('trial'), res);
  behaviours[name](res);
});

listen(server, Number(process.env.PRICES_PORT));
