import { tell } from '../processes/inside.mjs';

/**
 * Tells what became of one call. The page marks its requests with `?trial=…`, and the gateway passes that on: so the page
 * can show what happened to the connection behind the gateway, where no browser can look.
 */
export function reportTrial(trial, res) {
  if (trial === null) return;
  const { socket } = res;
  const report = (event) => tell({ trial, event, at: Date.now() });
  report('called');
  res.once('close', () => {
    if (res.writableFinished) report('answered');
    else report(hasPeerClosed(socket) ? 'closed by the gateway' : 'broken by the price service');
  });
}

/** By FIN the socket's readable side has ended; by RST it has failed; destroyed on this side it has done neither. */
function hasPeerClosed(socket) {
  return socket.readableEnded || socket.errored !== null;
}
