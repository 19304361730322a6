import type { ErrorRequestHandler } from 'express';
import { gatewayErrorHandler } from 'express-hangup';
import { clientThatHangsUp } from 'express-hangup/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { collect } from '../fixtures/events';
import { refusingPort } from '../fixtures/faulty-server';
import { expressVersions } from '../fixtures/serve';
import { RawClient } from '../fixtures/raw-client';
import { proxyApp, proxyVersions, startUpstream } from './fixture';
import { rawUpstream } from './raw-upstream';

const BEFORE_HEADERS = [
  ['reset', 502, 'UPSTREAM_RESET'],
  ['reset-headers', 502, 'UPSTREAM_RESET'],
  ['close', 502, 'UPSTREAM_RESET'],
  ['close-headers', 502, 'UPSTREAM_RESET'],
  ['garbage', 502, 'UPSTREAM_INVALID_RESPONSE'],
  ['bad-status', 502, 'UPSTREAM_INVALID_RESPONSE'],
  ['header-overflow', 502, 'UPSTREAM_INVALID_RESPONSE'],
  ['two-lengths', 502, 'UPSTREAM_INVALID_RESPONSE'],
] as const;

const IN_THE_BODY = ['reset-body', 'reset-chunk', 'close-body', 'close-chunk'] as const;

const JSON_CLIENT = { headers: { accept: 'application/json' } };

function codeOf(text: string | undefined): unknown {
  return (JSON.parse(text ?? '') as { code?: unknown }).code;
}

describe.each(proxyVersions)('a fault of the upstream, %s', (_name, hpm) => {
  it.each(BEFORE_HEADERS)('%s before the headers is answered %i %s', async (fault, status, code) => {
    const upstream = await startUpstream({ fault });
    const { url, errors } = await proxyApp(hpm, upstream.url);

    const { response } = await clientThatHangsUp(url, JSON_CLIENT);

    expect(response?.status).toBe(status);
    expect(response?.complete).toBe(true);
    expect(codeOf(response?.text)).toBe(code);
    expect(errors).toHaveLength(1);
  });

  it.each(IN_THE_BODY)('%s breaks the response and adds not a byte', async (fault) => {
    const upstream = await startUpstream({ fault });
    const { url, errors } = await proxyApp(hpm, upstream.url);

    const { response, ended, malformed } = await clientThatHangsUp(url);

    expect({ complete: response?.complete, malformed }).toEqual({ complete: false, malformed: undefined });
    expect(['fin', 'rst']).toContain(ended);
    expect(response?.status).toBe(200);
    expect(response?.text).toMatch(/^"x*$/);
    expect(errors).toHaveLength(1);
  });

  it('a malformed chunk behind a good one is no complete response', async () => {
    const upstream = await startUpstream({ fault: 'bad-chunk' });
    const { url } = await proxyApp(hpm, upstream.url);

    const { response } = await clientThatHangsUp(url, JSON_CLIENT);

    // Both arrive at once, before anything has been passed on: there is still time for an answer.
    expect(response?.status).toBe(502);
    expect(codeOf(response?.text)).toBe('UPSTREAM_INVALID_RESPONSE');
  });

  it('a status that Node cannot send is answered 502, and the process lives', async () => {
    const { url } = await proxyApp(hpm, await rawUpstream('HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\nok'));

    const { response } = await clientThatHangsUp(url, JSON_CLIENT);

    expect(response?.status).toBe(502);
    expect(codeOf(response?.text)).toBe('UPSTREAM_INVALID_RESPONSE');
  });

  it('a refused connection is answered 502', async () => {
    const { url } = await proxyApp(hpm, `http://127.0.0.1:${await refusingPort()}`);

    const { response } = await clientThatHangsUp(url, JSON_CLIENT);

    expect(response?.status).toBe(502);
    expect(codeOf(response?.text)).toBe('UPSTREAM_REFUSED');
  });

  it('a name that does not exist is answered 502', async () => {
    const { url } = await proxyApp(hpm, 'http://upstream.invalid');

    const { response } = await clientThatHangsUp(url, JSON_CLIENT);

    expect(response?.status).toBe(502);
    expect(codeOf(response?.text)).toBe('UPSTREAM_UNREACHABLE');
  });

  it.each([
    ['self-signed', 'UPSTREAM_UNREACHABLE'],
    ['expired', 'UPSTREAM_UNREACHABLE'],
    ['reset', 'UPSTREAM_RESET'],
  ] as const)('a TLS handshake that fails (%s) is answered 502 %s', async (tls, code) => {
    const upstream = await startUpstream({ tls });
    const { url } = await proxyApp(hpm, upstream.url);

    const { response } = await clientThatHangsUp(url, JSON_CLIENT);

    expect(response?.status).toBe(502);
    expect(codeOf(response?.text)).toBe(code);
  });

  it('a complete response survives the end of its connection, also for a slow reader', async () => {
    const upstream = await startUpstream({ fault: { fault: 'idle-close', ms: 0, bytes: 3_000_000 } });
    const { url, errors } = await proxyApp(hpm, upstream.url);

    const { response } = await clientThatHangsUp(url, { readAfter: 50 });

    expect({ complete: response?.complete, bytes: response?.bodyBytes }).toEqual({
      complete: true,
      bytes: 3_000_000,
    });
    expect(errors).toEqual([]);
  });

  it('a body that ends with the connection is cut by a reset, which a clean end would hide', async () => {
    const upstream = await startUpstream({ fault: 'close-chunk' });
    const { port } = await proxyApp(hpm, upstream.url);
    const faults = collect('fault');
    const client = await RawClient.connect(port);

    client.send('GET / HTTP/1.0\r\n\r\n');

    expect(await client.end()).toBe('ECONNRESET');
    expect(await faults.next()).toMatchObject({ code: 'UPSTREAM_RESET', upstream: { phase: 'body' } });
  });

  it('tells the error’s upstream to the fault event', async () => {
    const upstream = await startUpstream({ fault: 'reset' });
    const { url } = await proxyApp(hpm, `${upstream.url}/secret/path`);
    const faults = collect('fault');

    await clientThatHangsUp(url);

    expect(await faults.next()).toMatchObject({
      code: 'UPSTREAM_RESET',
      outcome: 'answered',
      upstream: { origin: upstream.origin, phase: 'waiting', reusedSocket: false, attempt: 1 },
    });
  });

  it('is told with its own code also where the response was broken for it', async () => {
    const upstream = await startUpstream({ fault: 'reset-body' });
    const { url } = await proxyApp(hpm, upstream.url);
    const faults = collect('fault');

    await clientThatHangsUp(url);

    expect(await faults.next()).toMatchObject({ code: 'UPSTREAM_RESET', upstream: { phase: 'body' } });
  });
});

describe.each(proxyVersions)('an app’s own error handler, %s', (_name, hpm) => {
  it('gets the fault, with render() of the gateway error handler', async () => {
    const upstream = await startUpstream({ fault: 'reset' });
    const errorHandler = gatewayErrorHandler({
      render: (fault, _req, res) => res.send(`sorry: ${fault.code}`),
    });
    const { url } = await proxyApp(hpm, upstream.url, { errorHandler });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, response?.text]).toEqual([502, 'sorry: UPSTREAM_RESET']);
  });

  it('may take its time', async () => {
    const upstream = await startUpstream({ fault: 'bad-chunk' });
    const errorHandler: ErrorRequestHandler = async (_error, _req, res, _next) => {
      await sleep(30);
      res.status(599).end('late but whole');
    };
    const { url } = await proxyApp(hpm, upstream.url, { errorHandler });

    const { response } = await clientThatHangsUp(url);

    expect([response?.status, response?.text]).toEqual([599, 'late but whole']);
  });

  it('cannot make a fragment look whole', async () => {
    const upstream = await startUpstream({ fault: 'reset-chunk' });
    const errorHandler: ErrorRequestHandler = (_error, _req, res, _next) => {
      res.end('Something went wrong');
    };
    const { url } = await proxyApp(hpm, upstream.url, { errorHandler });

    const { response } = await clientThatHangsUp(url);

    expect(response?.complete).toBe(false);
    expect(response?.text).not.toContain('wrong');
  });
});

describe.each(proxyVersions)('through %s', (_name, hpm) => {
  it.each(expressVersions)('%s answers a reset with 502', async (_express, express) => {
    const upstream = await startUpstream({ fault: 'reset' });
    const { url } = await proxyApp(hpm, upstream.url, { express });

    expect((await clientThatHangsUp(url)).response?.status).toBe(502);
  });

  it.each(expressVersions)('%s breaks a response that its upstream breaks', async (_express, express) => {
    const upstream = await startUpstream({ fault: 'close-chunk' });
    const { url } = await proxyApp(hpm, upstream.url, { express });

    expect((await clientThatHangsUp(url)).response?.complete).toBe(false);
  });
});
