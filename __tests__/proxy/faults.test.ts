import { clientThatHangsUp } from 'express-hangup/testing';
import { proxyApp, proxyVersions, startUpstream } from './fixture';

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

const IN_THE_BODY = ['reset-body', 'reset-chunk', 'close-body', 'close-chunk', 'bad-chunk', 'long-length'] as const;

describe.each(proxyVersions)('a fault of the upstream, %s', (_name, hpm) => {
  it.each(BEFORE_HEADERS)('%s before the headers is answered %i %s', async (fault, status, code) => {
    const upstream = await startUpstream({ fault });
    const { url, errors } = await proxyApp(hpm, upstream.url);

    const { response } = await clientThatHangsUp(url, { headers: { accept: 'application/json' } });

    expect(response?.status).toBe(status);
    expect(response?.complete).toBe(true);
    expect(JSON.parse(response?.text ?? '')).toMatchObject({ code });
    expect(errors).toHaveLength(1);
  });

  it.each(IN_THE_BODY)('%s amid the body breaks the response and adds not a byte', async (fault) => {
    const upstream = await startUpstream({ fault });
    const { url, errors } = await proxyApp(hpm, upstream.url);

    const { response, ended, malformed } = await clientThatHangsUp(url);

    expect({ complete: response?.complete, malformed, ended }).toEqual({
      complete: false,
      malformed: undefined,
      ended: expect.stringMatching(/fin|rst/),
    });
    expect(response?.text).not.toContain('Error');
    expect(errors).toHaveLength(1);
  });
});
