import { clientThatHangsUp, type ClientResponse } from 'express-hangup/testing';
import type { ServerResponse } from 'node:http';
import { gate } from '../fixtures/serve';
import { proxyApp, proxyVersions, type AnyOptions, type Hpm } from './fixture';
import { rawUpstream } from './raw-upstream';

/** Whole answers, each in one packet with bytes that belong to none: Node's client takes these for a broken next answer. */
const ANSWERS: [string, string, string, number, Record<string, string>, string][] = [
  [
    'a body that no HEAD has',
    'HEAD',
    'HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nETag: "a"\r\n\r\nno',
    404,
    { 'content-length': '2', etag: '"a"' },
    '',
  ],
  [
    'a body that no 204 has',
    'GET',
    'HTTP/1.1 204 No Content\r\nX-Up: 1\r\nContent-Length: 2\r\n\r\nno',
    204,
    { 'x-up': '1' },
    '',
  ],
  [
    'a body that no 304 has',
    'GET',
    'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\nno',
    304,
    { etag: '"a"' },
    '',
  ],
  [
    'more than its length',
    'GET',
    'HTTP/1.1 201 Created\r\nLocation: /1\r\nContent-Length: 2\r\n\r\nok and more',
    201,
    { location: '/1', 'content-length': '2' },
    'ok',
  ],
  [
    'more than its last chunk',
    'GET',
    'HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore',
    200,
    { 'content-type': 'text/css', 'transfer-encoding': 'chunked' },
    'ok',
  ],
];

describe.each(proxyVersions)('an answer that is whole, with bytes behind its end, %s', (_name, hpm) => {
  async function answered(
    hpmOf: Hpm,
    method: string,
    bytes: string,
    proxy: AnyOptions = {},
  ): Promise<ClientResponse | undefined> {
    const { url, errors } = await proxyApp(hpmOf, await rawUpstream(bytes), { proxy });
    const { response } = await clientThatHangsUp(url, { method });
    expect(errors).toEqual([]);
    return response;
  }

  it.each(ANSWERS)('is passed on as it is: %s', async (_what, method, bytes, status, headers, text) => {
    const response = await answered(hpm, method, bytes);

    expect(response).toMatchObject({ status, headers, text, complete: true });
  });

  it.each(ANSWERS)(
    'is told to on.error, which can no longer answer: %s',
    async (_what, method, bytes, status, headers, text) => {
      const told = gate<Error>();
      const error = (reason: Error, _req: unknown, res: unknown): void => {
        (res as ServerResponse).end('mine');
        told.open(reason);
      };

      const response = await answered(hpm, method, bytes, { on: { error } });

      expect(response).toMatchObject({ status, headers, text, complete: true });
      await expect(told.promise).resolves.toHaveProperty('code', expect.stringMatching(/^HPE_/));
    },
  );
});
