import diagnostics from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { channels, type LateResponseEvent } from '../../src/events';
import { diagnose } from 'express-hangup/diagnose';
import { serve } from '../fixtures/serve';
import { Origins } from '../../src/diagnose/learned/origin-log';
import { errorOf, request } from './clients';
import { passTime } from './passing-time';
import { ok, scriptedUpstream } from './scripted-upstream';
import { until } from './until';

const CHANNELS = [
  ...['http.client.request.created', 'http.client.request.start', 'http.client.request.error'],
  ...['http.client.response.finish', 'http.server.request.start', 'http.server.response.finish'],
  ...[
    'undici:client:beforeConnect',
    'undici:client:connected',
    'undici:client:connectError',
    'undici:client:sendHeaders',
  ],
  ...['undici:request:bodySent', 'undici:request:headers', 'undici:request:trailers', 'undici:request:error'],
  ...['express-hangup:fault', 'express-hangup:late-response'],
];

const subscribed = (): string[] => CHANNELS.filter((name) => diagnostics.hasSubscribers(name));

const noLookup = ((_host: string, _options: unknown, done: (error: Error) => void) =>
  done(
    Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }),
  )) as never;

function listenersOf(emitter: EventEmitter): Record<string, number> {
  return Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]));
}

// A hangup({ propagate: true }) of another test file in this process listens until it is collected as garbage.
const others = subscribed();

/** Nobody listens but those who did before. */
function expectNobodyElse(): void {
  expect(others).toEqual(expect.arrayContaining(subscribed()));
}

describe('when it is off', () => {
  it('nobody listens after the import', () => {
    expectNobodyElse();
  });

  it('nobody listens any more after stop()', () => {
    const one = diagnose();
    const two = diagnose();
    expect(subscribed()).toEqual(CHANNELS);
    one.stop();
    expect(subscribed()).toEqual(CHANNELS);
    two.stop();
    expectNobodyElse();
  });

  it('sockets and requests that live on have lost its listeners', async () => {
    const upstream = await scriptedUpstream(ok);
    const agent = new http.Agent({ keepAlive: true });
    const use = async (): Promise<net.Socket> => {
      const req = http.get(upstream.origin, { agent }).on('response', (res) => res.resume());
      const [socket] = await once(req, 'socket');
      await once(req, 'close');
      return socket;
    };
    const bare = listenersOf(await use());
    const diagnosis = diagnose();
    const socket = await use();
    expect(Object.keys(listenersOf(socket)).length).toBeGreaterThan(Object.keys(bare).length);
    diagnosis.stop();
    expect(listenersOf(socket)).toEqual(bare);
    agent.destroy();
  });

  it('a connection whose request is under way has lost its listener', async () => {
    let inFlight: http.ServerResponse | undefined;
    const { url } = await serve((_req: unknown, res: http.ServerResponse) => {
      inFlight = res;
      res.write('x');
    });
    const diagnosis = diagnose();
    const response = await fetch(url);
    const socket = inFlight?.socket;
    const before = socket?.listenerCount('close') ?? 0;
    diagnosis.stop();
    expect(socket?.listenerCount('close')).toBe(before - 1);
    inFlight?.end();
    await response.text();
  });

  it('the last report stays readable', async () => {
    const diagnosis = diagnose();
    await errorOf(request('http://nowhere.invalid:3001/'));
    diagnosis.stop();
    await errorOf(request('http://nowhere.invalid:3002/'));
    expect(diagnosis.report().faults).toHaveLength(1);
  });
});

it('does not take the process down when a message is not what Node documents', () => {
  const diagnosis = diagnose();
  for (const name of CHANNELS.filter((channel) => !channel.startsWith('express-hangup:'))) {
    for (const message of [undefined, null, {}, { request: null }, { request: {}, error: {} }]) {
      expect(() => diagnostics.channel(name).publish(message)).not.toThrow();
    }
  }
  diagnosis.stop();
});

it('does not make an unhandled error of a request handled', async () => {
  const diagnosis = diagnose();
  const req = http.get('http://nowhere.invalid:3001/');
  await once(req, 'socket');
  expect(req.listenerCount('error')).toBe(0);
  await errorOf(once(req, 'close'));
  diagnosis.stop();
});

describe('what is kept', () => {
  it('is a hundred origins at most, those that were used last', () => {
    const origins = new Origins();
    for (let n = 0; n < 130; n++) {
      passTime(1);
      origins.of(`http://host-${n}`);
      origins.of('http://always');
    }
    const kept = origins.all().map(({ origin }) => origin);
    expect(kept).toHaveLength(100);
    expect(kept).toContain('http://always');
    expect(kept).toContain('http://host-129');
    expect(kept).not.toContain('http://host-0');
  });

  it('is the last fifty faults, and the report shows thirty origins', async () => {
    const diagnosis = diagnose();
    for (let n = 0; n < 130; n++)
      await errorOf(request(`http://host-${n}.invalid:3001/`, { lookup: noLookup }));
    const { origins, faults } = diagnosis.report();
    diagnosis.stop();
    expect(origins).toHaveLength(30);
    expect(faults).toHaveLength(50);
    expect(faults[0]?.upstream?.origin).toBe('http://host-129.invalid:3001');
  });

  it('is an origin with a name of bounded length', async () => {
    const diagnosis = diagnose();
    const lookup = (_host: string, _options: unknown, done: (error: Error) => void): void =>
      done(new Error('no'));
    await errorOf(request(`http://${'a'.repeat(5000)}:3001/`, { lookup: lookup as never }));
    const [origin] = diagnosis.report().origins;
    diagnosis.stop();
    expect(origin?.origin.length).toBeLessThan(310);
  });

  it('is a pool of thousands of sockets never searched, and the port of each call is known all the same', async () => {
    const diagnosis = diagnose();
    const upstreams = [await scriptedUpstream(ok), await scriptedUpstream(ok), await scriptedUpstream(ok)];
    const agent = new http.Agent({ keepAlive: true });
    const searched = jest.spyOn(Object, 'entries');
    Object.assign(agent, { totalSocketCount: 10_000 });
    for (const { origin } of upstreams) {
      const [response] = (await once(http.get(origin, { agent }), 'response')) as [http.IncomingMessage];
      await once(response.resume(), 'end');
    }
    const ofPools = searched.mock.calls.filter(([object]) => object === agent.sockets);
    searched.mockRestore();
    const { origins } = diagnosis.report();
    diagnosis.stop();
    agent.destroy();
    expect(ofPools).toEqual([]);
    expect(origins.map(({ origin }) => origin).sort()).toEqual(upstreams.map(({ origin }) => origin).sort());
  });

  it('is fifty late routes at most', () => {
    const diagnosis = diagnose();
    const late: LateResponseEvent = {
      method: 'GET',
      route: '',
      ms: 1,
      call: 'end',
      lateMs: 1,
      stack: undefined,
      error: undefined,
    };
    for (let n = 0; n < 80; n++) channels.lateResponse.publish({ ...late, route: `/route-${n}` });
    const { late: rows } = diagnosis.report();
    diagnosis.stop();
    expect(rows).toHaveLength(50);
    expect(rows[0]?.route).toBe('/route-79');
  });

  it('is no request that is over: a socket that carries many leaves one behind', async () => {
    const diagnosis = diagnose();
    const { url } = await serve((_req: unknown, res: http.ServerResponse) => void res.end('ok'));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', onWarning);
    for (let n = 0; n < 50; n++) await request(url, { agent });
    await new Promise(setImmediate);
    const [socket] = Object.values(agent.freeSockets)[0] ?? [];
    expect(Object.values(listenersOf(socket!)).every((count) => count <= 4)).toBe(true);
    expect(diagnosis.report().live.count).toBe(0);
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    agent.destroy();
    diagnosis.stop();
  });

  it('is a hundred requests in flight at most, and the count of all', async () => {
    const diagnosis = diagnose();
    const { url, server } = await serve(() => undefined);
    const agent = new http.Agent({ maxSockets: Infinity });
    const calls = Array.from({ length: 120 }, () => errorOf(request(url, { agent })));
    await until(() => diagnosis.report().live.count >= 120);
    expect(diagnosis.report().live.requests).toHaveLength(100);
    server.closeAllConnections();
    await Promise.all(calls);
    await until(() => diagnosis.report().live.count === 0);
    diagnosis.stop();
  });

  it('are no pipelined responses whose connection is gone', async () => {
    const diagnosis = diagnose();
    const { port } = await serve(() => undefined);
    const socket = net.connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    await until(() => diagnosis.report().live.count >= 3);
    socket.destroy();
    await until(() => diagnosis.report().live.count === 0);
    expect(diagnosis.report().outcomes.total.clientClosed).toBe(3);
    diagnosis.stop();
  });
});

describe('what is left out is told', () => {
  function fault(route: string): void {
    const event = { method: 'GET', route, ms: 1, status: 502, outcome: 'answered' as const };
    channels.fault.publish({ ...event, code: 'UPSTREAM_RESET', error: undefined, upstream: undefined });
  }

  it('by the number of faults whose kind has made room, so that no fault is missing in the sum', () => {
    const diagnosis = diagnose();
    for (let n = 0; n < 230; n++) for (let time = 0; time < 2; time++) fault(`/route-${n}`);
    // A kind that comes back.
    fault('/route-0');
    const { faultGroups, leftOut, processes } = diagnosis.report();
    diagnosis.stop();
    expect(faultGroups).toHaveLength(200);
    expect(leftOut.faults).toBe(62);
    expect(processes[0]?.faults).toBe(461);
  });

  it('by the number of late responses, of upstreams and of servers', async () => {
    const diagnosis = diagnose();
    const late = { method: 'GET', ms: 1, call: 'end', lateMs: 1, stack: undefined, error: undefined };
    for (let n = 0; n < 80; n++) channels.lateResponse.publish({ ...late, route: `/route-${n}` });
    for (let n = 0; n < 130; n++)
      await errorOf(request(`http://host-${n}.invalid:3001/`, { lookup: noLookup }));
    const servers = Array.from({ length: 11 }, () => http.createServer());
    for (const server of [...servers, ...servers]) arrive(server);
    const { leftOut } = diagnosis.report();
    diagnosis.stop();
    expect(leftOut).toEqual({
      ...{ requests: 0, faults: 0, late: 30, servers: 3, origins: 100 },
      ...{ timeouts: 0, findings: 0 },
    });
  });

  it('by the number of requests that came while ten thousand were in flight', () => {
    const diagnosis = diagnose();
    const server = http.createServer();
    for (let n = 0; n < 10_003; n++) arrive(server);
    const { live, leftOut } = diagnosis.report();
    diagnosis.stop();
    expect(live.count).toBe(10_000);
    expect(leftOut.requests).toBe(3);
  });

  /** What Node publishes when a request arrives. */
  function arrive(server: http.Server): void {
    const socket = new EventEmitter();
    diagnostics
      .channel('http.server.request.start')
      .publish({ request: { method: 'GET', headers: {} }, response: {}, socket, server });
  }
});

describe('options', () => {
  it.each([
    [{ allowed: () => true }, 'there is no option "allowed". Did you mean "allow"?'],
    [{ allow: true }, 'option "allow" is true, but must be a function'],
    [{ tuning: {} }, 'option "tuning" is an object, but must be what tuneServer() gives'],
    [{ tuning: 'no' }, 'option "tuning" is the string \'no\', but must be what tuneServer() gives'],
    [
      { where: '0.01' },
      'option "where" is the string \'0.01\', but must be true, false, or a share from 0 to 1',
    ],
    [{ file: '' }, 'option "file" is the string \'\', but must be the path of a file'],
  ])('that are wrong are refused: %j', (options, words) => {
    expect(() => diagnose(options as never)).toThrow(TypeError);
    expect(() => diagnose(options as never)).toThrow(words);
    expectNobodyElse();
  });
});
