// What the table of docs/runtimes.md lists, each with the word that a runtime has earned: "yes" or another.
import assert from 'node:assert/strict';
import { Wire } from '../core/wire.mjs';

const yes = (isSo) => (isSo ? 'yes' : 'no');

async function get(app, path, headers) {
  const wire = await Wire.connect(app.port);
  wire.get(path, headers);
  const response = await wire.response();
  return { wire, response };
}

/** Whether the connection carries a whole next response, unmixed with the one before it. */
async function isNextWhole(wire) {
  const { status, body } = await wire.get('/').response();
  return status === 200 && body === 'whole' && wire.rest() === '';
}

async function answers504(app, path) {
  const { wire, response } = await get(app, path);
  const { status, body, complete } = response;
  if (status === undefined) return 'cut instead';
  assert.equal(JSON.parse(body).code, 'DEADLINE_EXCEEDED');
  return yes(status === 504 && complete && (await isNextWhole(wire)));
}

async function departure(app, name, raw) {
  for (const leave of ['destroy', 'resetAndDestroy']) {
    const wire = await Wire.connect(app.port);
    wire.send(raw);
    await app.told('held');
    wire.socket[leave]();
    const { [name]: code } = await app.told(name);
    if (code !== 'CLIENT_CLOSED_REQUEST') return `no: ${code}`;
  }
  return 'yes';
}

async function isCut(app, path) {
  const { response } = await get(app, path);
  return yes(response.status === 200 && response.body === 'begun' && !response.complete);
}

async function gives(app, path, expected, headers) {
  const { wire, response } = await get(app, path, headers);
  const isRight = response.complete && response.body === expected;
  return yes(isRight && (await isNextWhole(wire)));
}

async function upstreamFault(app, port, code) {
  const { wire, response } = await get(app, `/upstream/${port}`);
  const isRight = response.status === 502 && JSON.parse(response.body).code === code;
  return yes(isRight && (await isNextWhole(wire)));
}

async function lateAnswer(app, path, name) {
  const { wire, response } = await get(app, path);
  const { [name]: outcome } = await app.told(name);
  return yes(response.status === 504 && outcome === 'harmless' && (await isNextWhole(wire)));
}

async function propagates(app, path) {
  const { response } = await get(app, path);
  assert.equal(response.status, 504);
  const { call, warnings } = await app.told('call');
  if (call === 'has ended') return 'yes';
  return warnings.includes('EXPRESS_HANGUP_PROPAGATE') ? 'no: a warning says so' : 'no';
}

/** In the order of the table. The last one ends the app. */
export const FEATURES = {
  'the signal aborts when the client leaves a waiting handler': (app) =>
    departure(app, 'departs', 'GET /departs HTTP/1.1\r\nHost: test\r\n\r\n'),
  'the signal aborts when the client leaves a response that has begun': (app) =>
    departure(app, 'departs-begun', 'GET /departs-begun HTTP/1.1\r\nHost: test\r\n\r\n'),
  'the signal aborts when the client leaves in the middle of its upload': (app) =>
    departure(
      app,
      'departs-body',
      'POST /departs-body HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nabc',
    ),
  'the status for the access log is then 499': (app) =>
    departure(app, 'logged', 'GET /logged HTTP/1.1\r\nHost: test\r\n\r\n').then((word) =>
      yes(word === 'no: 499'),
    ),
  'the signal does not abort after a body was read': async (app) => {
    const wire = await Wire.connect(app.port);
    const head = 'Host: test\r\nContent-Type: application/json\r\nContent-Length: 7';
    const { body } = await wire.send(`POST /body HTTP/1.1\r\n${head}\r\n\r\n{"a":1}`).response();
    return yes(body === '{"body":{"a":1},"aborted":false}');
  },
  'the signal does not abort after the response': async (app) => {
    await get(app, '/kept');
    return yes(!(await app.told('kept')).kept);
  },
  'a silent handler is answered 504 at its deadline': async (app) => {
    const word = await answers504(app, '/silent');
    assert.equal((await app.told('silent')).silent, 'DEADLINE_EXCEEDED');
    return word;
  },
  'a success that comes after the abort is not sent': (app) => answers504(app, '/fragment'),
  'a head without a body that is held back at the deadline is replaced by a 504': (app) =>
    answers504(app, '/held-head'),
  'a late res.json() is discarded': (app) => lateAnswer(app, '/late', 'late'),
  'a late res.write() and res.end() are discarded': (app) => lateAnswer(app, '/late-stream', 'late-stream'),
  'a response that has begun in time goes on past the deadline': (app) =>
    gives(app, '/begun', 'begun in time, aborted: false'),
  'flushHeaders() counts as begun': (app) => gives(app, '/flushed', 'aborted: false'),
  "with until: 'finish' a response that has begun is cut at its deadline": (app) => isCut(app, '/cut'),
  'stall cuts a response that makes no progress': (app) => isCut(app, '/stalls'),
  'deadline(false) lets an event stream run': (app) =>
    gives(app, '/events', 'data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\ndata: false Infinity\n\n'),
  'context: currentSignal() is the signal of the request': (app) => gives(app, '/context', '{"same":true}'),
  "inherit takes the caller's budget": (app) =>
    gives(app, '/budget', '{"timeout":120}', 'X-Request-Timeout-Ms: 120\r\n'),
  'propagate: a call of node:http ends with its request': (app) => propagates(app, '/propagate/http'),
  'propagate: a call of the global fetch ends with its request': (app) => propagates(app, '/propagate/fetch'),
  'a refused upstream is answered 502 (global fetch)': (app) =>
    upstreamFault(app, app.refusing, 'UPSTREAM_REFUSED'),
  'a reset by the upstream is answered 502 (global fetch)': (app) =>
    upstreamFault(app, app.resetting, 'UPSTREAM_RESET'),
  'express-session: an answer that its store still holds back at the deadline comes whole': (app) =>
    gives(app, '/session?ms=100', '{"session":true}'),
  'express-session: a handler that is late gets a 504': (app) => answers504(app, '/session?ms=300'),
  'tuneServer() sets the timeouts': (app) =>
    yes(app.tuned.keepAliveTimeout === 65_000 && app.tuned.headersTimeout === 66_000),
  'an idle connection is closed after keepAliveTimeout': async (app) => {
    const { wire } = await get(app, '/short-keep-alive');
    await wire.response();
    return yes(wire.closed && wire.error === undefined);
  },
  'nothing of all that ends in an uncaught error': (app) => yes(app.uncaught.length === 0),
  'drainable() lets a request finish at SIGTERM, and the process ends with code 0': async (app) => {
    const wire = await Wire.connect(app.port);
    wire.get('/slow');
    await app.told('held');
    app.child.kill('SIGTERM');
    const { body, complete } = await wire.response();
    const { drained } = await app.told('drained');
    const [code] = await app.exited;
    return yes(body === 'whole' && complete && drained.finished === 1 && drained.forced === 0 && code === 0);
  },
};
