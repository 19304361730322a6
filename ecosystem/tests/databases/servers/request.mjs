// A request to a real Express app with `hangup({ context: true })`, whose client leaves when it is told to.
import { connect } from 'node:net';
import express from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';

/**
 * Starts an app. `request(work)` sends a request in whose handler `work(req)` runs; it gives `{ leave(), ended }`, where
 * `ended` is what `work` came to, as of Promise.allSettled, and the request's reason.
 */
export async function startApp() {
  const app = express();
  const works = new Map();
  app.use(hangup({ context: true, deadline: false }));
  app.get('/:id', async (req, res) => {
    const { work, tell } = works.get(req.params.id);
    const [outcome] = await Promise.allSettled([work(req)]);
    tell({ ...outcome, aborted: req.signal.reason });
    res.end('done');
  });
  app.use(gatewayErrorHandler());
  const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  let last = 0;
  return {
    request(work) {
      const id = String((last += 1));
      const socket = connect(server.address().port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      const ended = new Promise((tell) => works.set(id, { work, tell }));
      socket.write(`GET /${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
      return { ended, leave: () => socket.destroy() };
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
