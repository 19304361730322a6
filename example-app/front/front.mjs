// The load balancer in front of the gateway: passes requests and answers on, byte for byte, and notes how they end.
import { Agent, request } from 'node:http';
import { pipeline } from 'node:stream';
import { URLSearchParams } from 'node:url';

/**
 * Makes the request listener. `pick()` gives the URL of the gateway to ask; `onEnd(trial, end)` is told how a marked
 * request ended for its client: the status, how many bytes came, and whether they were 'complete', 'cut', or the client
 * had 'left'.
 */
export function createFront({ idleMs, pick, onEnd }) {
  const agent = new Agent({ keepAlive: true, timeout: idleMs });

  return function front(req, res) {
    const end = { status: null, bytes: 0, outcome: 'left', startedAt: Date.now(), at: 0 };
    res.on('close', () => {
      if (res.writableFinished) end.outcome = 'complete';
      end.at = Date.now();
      const trial = new URLSearchParams(req.url.split('?')[1]).get('trial');
      if (trial !== null) onEnd(trial, { ...end });
    });

    const gateway = pick();
    if (gateway === undefined) {
      refuse(res, end, 'no gateway is ready');
      return;
    }
    const forwarded = forward(req, gateway, agent);
    res.on('close', () => {
      if (!res.writableFinished) forwarded.destroy();
    });
    forwarded.on('response', (answer) => passOn(answer, res, end));
    forwarded.on('error', () => {
      if (!res.headersSent && !res.destroyed) refuse(res, end, 'the gateway broke the connection');
    });
  };
}

function forward(req, gateway, agent) {
  const { hostname: host, port } = new URL(gateway);
  const headers = endToEnd(req.headers);
  const forwarded = request({ host, port, agent, headers, method: req.method, path: req.url });
  req.pipe(forwarded);
  return forwarded;
}

function passOn(answer, res, end) {
  end.status = answer.statusCode;
  answer.on('data', (chunk) => (end.bytes += chunk.length));
  answer.once('error', () => (end.outcome = 'cut'));
  res.writeHead(answer.statusCode, answer.statusMessage, endToEnd(answer.headers));
  res.flushHeaders();
  // An answer that was cut behind the front is cut for its client, too: pipeline() destroys it.
  pipeline(answer, res, () => {});
}

function refuse(res, end, why) {
  end.status = 502;
  res.writeHead(502, { 'Content-Type': 'text/plain' }).end(`The front: ${why}.\n`);
}

/** Without what is meant for one connection only (RFC 9110, section 7.6.1). */
function endToEnd(headers) {
  const passedOn = { ...headers };
  for (const name of ['connection', 'keep-alive', 'transfer-encoding']) delete passedOn[name];
  return passedOn;
}
