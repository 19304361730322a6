import { once } from 'node:events';
import http2, {
  type ClientHttp2Session,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import type { NextFunction, Request, Response } from 'express';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import { collect } from '../fixtures/events';
import { aborted, gate } from '../fixtures/serve';

type Handler = (req: Request, res: Response) => void;

/** Runs hangup(), a guard, a handler and gatewayErrorHandler() on Node's HTTP/2 compatibility API, without Express. */
function app(
  handler: Handler,
  guard = hangup(),
): (req: Http2ServerRequest, res: Http2ServerResponse) => void {
  const onError = gatewayErrorHandler();
  return (request, response) => {
    const [req, res] = [request as never as Request, response as never as Response];
    const last = ((error?: unknown) => {
      if (error !== undefined) onError(error, req, res, (other: unknown) => res.destroy(other as Error));
      else handler(req, res);
    }) as NextFunction;
    void guard(req, res, last);
  };
}

describe('HTTP/2', () => {
  let session: ClientHttp2Session;
  let close: () => Promise<void>;
  const sockets: net.Socket[] = [];

  async function connect(listener: ReturnType<typeof app>): Promise<ClientHttp2Session> {
    const server = http2.createServer(listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    session = http2.connect(`http://127.0.0.1:${port}`, {
      createConnection: () => {
        const socket = net.connect(port, '127.0.0.1');
        sockets.push(socket);
        return socket;
      },
    });
    session.on('error', () => undefined);
    await once(session, 'connect');
    close = async () => {
      const closed = once(server, 'close');
      session.destroy();
      server.close();
      await closed;
    };
    return session;
  }

  afterEach(async () => close());

  async function arrivalOf(
    body?: string,
  ): Promise<{ req: Request; res: Response; stream: http2.ClientHttp2Stream }> {
    const arrived = gate<{ req: Request; res: Response }>();
    await connect(app((req, res) => arrived.open({ req, res })));
    const stream = session.request(
      body === undefined ? { ':path': '/' } : { ':path': '/', ':method': 'POST' },
    );
    stream.on('error', () => undefined);
    if (body !== undefined) stream.end(body);
    return { ...(await arrived.promise), stream };
  }

  it.each([
    ['a cancelled stream', (stream: http2.ClientHttp2Stream) => stream.close(http2.constants.NGHTTP2_CANCEL)],
    ['a destroyed session', (stream: http2.ClientHttp2Stream) => stream.session?.destroy()],
    ['a lost connection', () => sockets.forEach((socket) => socket.resetAndDestroy())],
  ])('aborts for %s', async (_what, leave) => {
    const { req, stream } = await arrivalOf();
    const { signal } = req;
    leave(stream);
    expect(await aborted(signal)).toMatchObject({ code: 'CLIENT_CLOSED_REQUEST', name: 'AbortError' });
  });

  it('aborts for a cancelled stream whose body has been read, and not before', async () => {
    const { req, stream } = await arrivalOf('body');
    const { signal } = req;
    req.resume();
    await once(req, 'end');
    await new Promise(setImmediate);
    expect(signal.aborted).toBe(false);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    expect(await aborted(signal)).toMatchObject({ code: 'CLIENT_CLOSED_REQUEST' });
  });

  it('does not abort a stream that is answered', async () => {
    const settled = collect('settle');
    const { req, res, stream } = await arrivalOf();
    const { signal } = req;
    res.end('done');
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(200);
    stream.resume();
    expect(await settled.next()).toMatchObject({ outcome: 'finished' });
    expect(signal.aborted).toBe(false);
  });

  it.each([
    ['closes', (res: Http2ServerResponse) => res.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)],
    ['destroys', (res: Http2ServerResponse) => res.destroy()],
    ['drops with its session', (res: Http2ServerResponse) => res.stream.session?.destroy()],
  ])('blames a stream that this side %s on this side', async (_how, end) => {
    const { req, res } = await arrivalOf();
    const { signal } = req;
    end(res as unknown as Http2ServerResponse);
    expect(await aborted(signal)).toMatchObject({ code: 'RESPONSE_DESTROYED' });
  });

  it('answers 504 past the deadline, without a Connection header, and discards what comes late', async () => {
    const late = collect('late-response');
    const arrived = gate<Response>();
    await connect(app((_req, res) => arrived.open(res), hangup({ deadline: 20, grace: 0 })));
    const stream = session.request({ ':path': '/' });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(504);
    expect(headers['connection']).toBeUndefined();
    const res = await arrived.promise;
    res.setHeader('x', '1');
    res.end('late');
    expect(await late.next()).toMatchObject({ call: 'setHeader' });
    stream.close();
  });

  it('resets the stream of a response that has begun', async () => {
    await connect(app((_req, res) => void res.write('half'), deadline(40, { until: 'finish' })));
    const stream = session.request({ ':path': '/' });
    stream.resume();
    const [error] = (await once(stream, 'error').catch((error: unknown) => [error])) as [
      NodeJS.ErrnoException,
    ];
    expect(error.code).toBe('ERR_HTTP2_STREAM_ERROR');
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_INTERNAL_ERROR);
  });
});
