import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import {
  classifyError,
  ClientClosedRequestError,
  DeadlineExceededError,
  hangup,
  ResponseDestroyedError,
  ResponseStalledError,
  ServerDrainingError,
  type FaultCode,
} from 'express-hangup';
import express from 'express';
import createError from 'http-errors';
import { attachLifetime } from '../../src/request/attach-lifetime';
import { lifetimeOf } from '../../src/request/lifetime/lifetime-of';
import { startFaultyServer, type Fault, type FaultyServer } from '../fixtures/faulty-server';
import { gate, listen, serve } from '../fixtures/serve';

let upstream: FaultyServer;

/** A file too large for the sockets' buffers is Node itself, which may lie below a directory like `.nvm`. */
const ANY_DIRECTORY = { dotfiles: 'allow' } as const;

beforeAll(async () => {
  upstream = await startFaultyServer();
});

afterAll(() => upstream.close());

/** What a route's error is taken for; `no fault` where it is none. */
type Verdict = FaultCode | 'no fault';

/** Serves one route that fails, and tells what its error is taken for, with the request at hand. */
async function classifying(
  route: (req: IncomingMessage, res: ServerResponse) => Promise<unknown>,
  use: unknown[] = [],
) {
  const verdict = gate<Verdict>();
  const arrival = gate();
  const app = express();
  for (const middleware of use) app.use(middleware as express.RequestHandler);
  app.use(async (req, res) => {
    arrival.open();
    try {
      await route(req, res);
    } catch (error) {
      verdict.open(classifyError(error, req)?.code ?? 'no fault');
    }
    res.end();
  });
  app.use(((error, req, res, _next) => {
    verdict.open(classifyError(error, req)?.code ?? 'no fault');
    res.end();
  }) as express.ErrorRequestHandler);
  const { url, port } = await serve(app);
  return { url, port, arrived: arrival.promise, verdict: verdict.promise };
}

/** A client that sends `request` and leaves when told to, by FIN or by RST. */
async function connect(port: number, request: string) {
  const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(request);
  return { fin: () => socket.destroy(), rst: () => socket.resetAndDestroy(), socket };
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const HALF_A_POST =
  'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"half":';

/** Reads an upstream's response by node:http. */
async function responseOf(url: string): Promise<IncomingMessage> {
  const request = http.get(url, { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  request.on('error', () => undefined);
  return response;
}

/** A stream of an HTTP/2 server that pipes an upstream's response to it, and what the server takes the outcome for. */
async function http2Piping(fault: Fault) {
  const verdict = gate<Verdict>();
  const server = http2.createServer((req, res) => {
    // As Express does
    Object.assign(req, { res });
    const asHttp1 = req as unknown as IncomingMessage;
    responseOf(upstream.url(fault))
      .then((response) => pipeline(response, res))
      .catch((error: unknown) => verdict.open(classifyError(error, asHttp1)?.code ?? 'no fault'));
  });
  const { url } = await listen(server as unknown as http.Server);
  const session = http2.connect(url);
  const stream = session.request({ ':path': '/' }).on('error', () => undefined);
  return { stream, verdict: verdict.promise.finally(() => session.destroy()) };
}

async function errorOf(call: Promise<unknown>): Promise<Error> {
  return (await call.catch((error: unknown) => error)) as Error;
}

const leaving = ['fin', 'rst'] as const;

describe('classifyError() without hangup(), when the client leaves', () => {
  it.each(leaving)('in the middle of a body that express.json() reads (%s)', async (how) => {
    const { port, verdict } = await classifying(
      async () => undefined,
      [
        (req: IncomingMessage, _res: unknown, next: () => void) => {
          req.once('data', () => void client.then((it) => it[how]()));
          next();
        },
        express.json(),
      ],
    );
    const client = connect(port, HALF_A_POST);
    expect(await verdict).toBe('CLIENT_CLOSED_REQUEST');
  });

  it.each(leaving)('in the middle of a body that the handler reads (%s)', async (how) => {
    const { port, verdict } = await classifying(async (req) => {
      req.once('data', () => void client.then((it) => it[how]()));
      await text(req);
    });
    const client = connect(port, HALF_A_POST);
    expect(await verdict).toBe('CLIENT_CLOSED_REQUEST');
  });

  it.each(leaving)('while a response is piped to it (%s)', async (how) => {
    const { port, verdict } = await classifying(async (_req, res) =>
      pipeline(await responseOf(upstream.url('hangInBody')), res),
    );
    const client = await connect(port, GET);
    await once(client.socket, 'data');
    client[how]();
    expect(await verdict).toBe('CLIENT_CLOSED_REQUEST');
  });

  it('and the handler aborts its own work for it', async () => {
    const { port, verdict } = await classifying(async (_req, res) => {
      const controller = new AbortController();
      res.on('close', () => controller.abort());
      void client.then((it) => it.fin());
      await fetch(upstream.url('hang'), { signal: controller.signal });
    });
    const client = connect(port, GET);
    expect(await verdict).toBe('CLIENT_CLOSED_REQUEST');
  });

  it('and the handler pipes to the response that is gone', async () => {
    const { port, verdict } = await classifying(async (_req, res) => {
      (await client).fin();
      await once(res, 'close');
      await pipeline(Readable.from(['x']), res);
    });
    const client = connect(port, GET);
    expect(await verdict).toBe('CLIENT_CLOSED_REQUEST');
  });

  it('while a file is sent to it', async () => {
    const { port, verdict } = await classifying((_req, res) =>
      promisify((done: (error?: Error) => void) =>
        (res as express.Response).sendFile(process.execPath, ANY_DIRECTORY, done),
      )(),
    );
    const client = await connect(port, GET);
    await once(client.socket, 'data');
    client.rst();
    expect(await verdict).toBe('CLIENT_CLOSED_REQUEST');
  });

  it('and the handler writes to the response that is gone', async () => {
    const { port, verdict } = await classifying(async (_req, res) => {
      (await client).fin();
      await once(res, 'close');
      await promisify((done: (error?: Error | null) => void) => res.write('x', done))();
    });
    const client = connect(port, GET);
    expect(await verdict).toBe('CLIENT_CLOSED_REQUEST');
  });

  it('in the middle of a body that is read without Express', async () => {
    const verdict = gate<Verdict>();
    const { port } = await serve((req: IncomingMessage) => {
      req.once('data', () => void client.then((it) => it.fin()));
      text(req).catch((error: unknown) => verdict.open(classifyError(error, req)?.code ?? 'no fault'));
    });
    const client = connect(port, HALF_A_POST);
    expect(await verdict.promise).toBe('CLIENT_CLOSED_REQUEST');
  });

  it('by cancelling an HTTP/2 stream', async () => {
    const { stream, verdict } = await http2Piping('hangInBody');
    await once(stream, 'data');
    stream.close(http2.constants.NGHTTP2_CANCEL);
    expect(await verdict).toBe('CLIENT_CLOSED_REQUEST');
  });

  it('does not hide a bug behind it', async () => {
    const { port, verdict } = await classifying(async (_req, res) => {
      (await client).fin();
      await once(res, 'close');
      throw new TypeError("Cannot read properties of undefined (reading 'id')");
    });
    const client = connect(port, GET);
    expect(await verdict).toBe('no fault');
  });
});

describe('classifyError() without hangup() does not blame the client', () => {
  it.each(['resetInBody', 'truncated', 'truncatedChunks'] as const)(
    'for an upstream whose response breaks while it is piped through (%s)',
    async (fault) => {
      const { url, verdict } = await classifying(async (_req, res) =>
        pipeline(await responseOf(upstream.url(fault)), res),
      );
      await fetch(url)
        .then((answer) => answer.text())
        .catch(() => undefined);
      expect(await verdict).toBe('UPSTREAM_RESET');
    },
  );

  it.each(['reset', 'close'] as const)(
    'for an upstream that breaks while the body is piped to it (%s)',
    async (fault) => {
      const { port, verdict } = await classifying(async (req) =>
        pipeline(req, http.request(upstream.url(fault), { method: 'POST', agent: false })),
      );
      const client = await connect(port, HALF_A_POST);
      expect(await verdict).toBe('UPSTREAM_RESET');
      client.fin();
    },
  );

  it('for an upstream that breaks an HTTP/2 response that is piped through', async () => {
    const { stream, verdict } = await http2Piping('resetInBody');
    stream.resume();
    expect(await verdict).toBe('UPSTREAM_RESET');
  });

  it('for an upstream that breaks while the client waits', async () => {
    const { url, verdict } = await classifying(() => fetch(upstream.url('reset')));
    await fetch(url);
    expect(await verdict).toBe('UPSTREAM_RESET');
  });

  it('for an upload that the handler destroys with the error of an upstream', async () => {
    const { port, verdict } = await classifying(async (req) => {
      const error = await errorOf(fetch(upstream.url('reset')));
      req.on('error', () => undefined).destroy(error);
      await new Promise((resolve) => req.socket.once('close', resolve));
      throw error;
    });
    await connect(port, HALF_A_POST);
    expect(await verdict).toBe('UPSTREAM_RESET');
  });

  it('for a response that is destroyed with an error before its turn in a pipeline', async () => {
    const { port, verdict } = await classifying(async (req, res) => {
      if (req.url === '/first') return once(res, 'close');
      const error = await errorOf(fetch(upstream.url('reset')));
      res.on('error', () => undefined).destroy(error);
      throw error;
    });
    await connect(port, GET.replace('/', '/first') + GET);
    expect(await verdict).toBe('UPSTREAM_RESET');
  });

  it('for a file whose sending this side breaks off', async () => {
    const { port, verdict } = await classifying((_req, res) =>
      promisify((done: (error?: Error) => void) => {
        (res as express.Response).sendFile(process.execPath, ANY_DIRECTORY, done);
        res.once('pipe', () => setImmediate(() => res.destroy()));
      })(),
    );
    await connect(port, GET);
    expect(await verdict).toBe('RESPONSE_DESTROYED');
  });

  it('for a response that this side destroys', async () => {
    const { port, verdict } = await classifying(async (_req, res) => {
      const piped = pipeline(await responseOf(upstream.url('hangInBody')), res);
      res.destroy();
      await piped;
    });
    await connect(port, GET);
    expect(await verdict).toBe('RESPONSE_DESTROYED');
  });

  it('for what fails after the response is complete', async () => {
    const { port, verdict } = await classifying(async (req, res) => {
      res.end('done');
      await once(res, 'close');
      (await client).socket.resume().destroy();
      await new Promise((resolve) => req.socket.once('close', resolve));
      await fetch(upstream.url('reset'));
    });
    const client = connect(port, GET);
    expect(await verdict).toBe('UPSTREAM_RESET');
  });
});

describe('classifyError() with hangup()', () => {
  const reasons = [
    new ClientClosedRequestError(),
    new DeadlineExceededError(50),
    new ResponseStalledError(50),
    new ServerDrainingError(),
    new ResponseDestroyedError(),
  ];

  /** The request of an exchange that goes on until the test is over. */
  async function openRequest(): Promise<IncomingMessage> {
    const request = gate<IncomingMessage>();
    const app = express();
    app.use(hangup({ deadline: false }));
    app.use((req) => request.open(req));
    const { url } = await serve(app);
    http.get(url, { agent: false }).on('error', () => undefined);
    return request.promise;
  }

  describe.each(reasons.map((reason) => [reason.code, reason] as const))(
    'lets %s decide over',
    (code, reason) => {
      it.each([
        ['a bug', new TypeError('x')],
        ['an error with a status', createError(404)],
        ['a reset', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })],
        ['a timeout', Object.assign(new Error('x'), { code: 'UND_ERR_CONNECT_TIMEOUT' })],
        ['a string', 'client left'],
        ['nothing', undefined],
        ["another request's reason", new DeadlineExceededError(1)],
      ])('%s', async (_what, thrown) => {
        const req = await openRequest();
        lifetimeOf(req)!.abort(reason);
        expect(classifyError(thrown, req)).toMatchObject({ code, status: reason.status, cause: thrown });
      });
    },
  );

  it.each(
    reasons.filter(({ code }) => code !== 'SERVER_DRAINING').map((reason) => [reason.code, reason] as const),
  )("takes another request's %s for an operation that was given up", async (_code, reason) => {
    const req = await openRequest();
    expect(classifyError(reason, req)?.code).toBe('OPERATION_ABORTED');
    const wrapped = Object.assign(new Error('x', { cause: reason }), {
      name: 'AbortError',
      code: 'ABORT_ERR',
    });
    expect(classifyError(wrapped, req)?.code).toBe('OPERATION_ABORTED');
  });

  it('takes a drain for a drain, whichever request it comes from', async () => {
    expect(classifyError(new ServerDrainingError(), await openRequest())?.code).toBe('SERVER_DRAINING');
  });

  it('blames the upstream for a response that its error has destroyed', async () => {
    const { url, verdict } = await classifying(
      async (_req, res) => {
        const closed = once(res, 'close');
        await pipeline(await responseOf(upstream.url('resetInBody')), res).finally(() => closed);
      },
      [hangup()],
    );
    await fetch(url)
      .then((answer) => answer.text())
      .catch(() => undefined);
    expect(await verdict).toBe('UPSTREAM_RESET');
  });

  it('lets the deadline decide over a response that was destroyed with an error after it', async () => {
    const req = await openRequest();
    const error = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    lifetimeOf(req)!.abort(new DeadlineExceededError(50));
    lifetimeOf(req)!
      .res.on('error', () => undefined)
      .destroy(error);
    expect(classifyError(error, req)?.code).toBe('DEADLINE_EXCEEDED');
  });

  it('says that this side destroyed a response, where an error is only what came of it', async () => {
    const { port, verdict } = await classifying(
      async (_req, res) => {
        const piped = pipeline(await responseOf(upstream.url('hangInBody')), res);
        res.destroy();
        await once(res, 'close');
        await piped;
      },
      [hangup()],
    );
    await connect(port, GET);
    expect(await verdict).toBe('RESPONSE_DESTROYED');
  });
});

describe('classifyError() with a request that another copy of the package watches', () => {
  const aborted = (reason: unknown) => ({ signal: { aborted: true, reason } }) as unknown as IncomingMessage;
  const foreign = { name: 'TimeoutError', code: 'DEADLINE_EXCEEDED', status: 504 };

  it('takes its reason', async () => {
    const other = loadSecondCopy();
    const verdict = gate<Verdict>();
    const app = express();
    app.use(other.hangup({ deadline: 30 }));
    app.use(async (req, res) => {
      await fetch(upstream.url('hang'), { signal: req.signal }).catch((error: unknown) => {
        // What gatewayErrorHandler() of this copy does first
        attachLifetime(req, res);
        verdict.open(classifyError(error, req)?.code ?? 'no fault');
      });
    });
    const { url } = await serve(app);
    await fetch(url);
    expect(other.DeadlineExceededError).not.toBe(DeadlineExceededError);
    expect(await verdict.promise).toBe('DEADLINE_EXCEEDED');
  });

  it('lets it decide over any error', () => {
    expect(classifyError(new TypeError('x'), aborted(foreign))?.code).toBe('DEADLINE_EXCEEDED');
  });

  it.each([
    ['what Node aborts its own signal with', new DOMException('This operation was aborted', 'AbortError')],
    ['a code without the name', { ...foreign, name: 'Error' }],
    ['a code without the status', { ...foreign, status: undefined }],
    ['a reason in the cause', new Error('x', { cause: foreign })],
    ['a string', 'DEADLINE_EXCEEDED'],
    ['nothing', undefined],
  ])('does not take %s for a reason', (_what, reason) => {
    expect(classifyError(new TypeError('x'), aborted(reason))).toBeUndefined();
  });

  it('does not take the reason of a signal that has not aborted', () => {
    const req = { signal: { aborted: false, reason: foreign } } as unknown as IncomingMessage;
    expect(classifyError(new TypeError('x'), req)).toBeUndefined();
  });
});

describe('classifyError() with a request never throws at', () => {
  const refuse = () => {
    throw new Error('not yours to read');
  };
  const reset = Object.assign(new Error('x'), { code: 'ECONNRESET' });

  it.each<[string, unknown]>([
    ['an empty stub', {}],
    ['a stub with a stub of a response', { res: {} }],
    ['a stub of which all is null', { res: null, socket: null, signal: null, errored: null }],
    [
      'a signal whose getter throws',
      {
        get signal() {
          return refuse();
        },
      },
    ],
    ['a signal that throws at everything', { signal: new Proxy({}, { get: refuse }) }],
    ['a request that throws at everything', new Proxy({}, { get: refuse })],
    ['a frozen request', Object.freeze({})],
    ['a string', 'GET /'],
    ['null', null],
  ])('%s', (_what, req) => {
    expect(classifyError(reset, req as IncomingMessage)?.code).toBe('UPSTREAM_RESET');
    expect(classifyError(null, req as IncomingMessage)).toBeUndefined();
  });
});

/** The package once more, as a second installed version would be. */
function loadSecondCopy(): typeof import('express-hangup') {
  let copy: unknown;
  jest.isolateModules(() => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would be hoisted out of here
    copy = require('express-hangup');
  });
  return copy as typeof import('express-hangup');
}
