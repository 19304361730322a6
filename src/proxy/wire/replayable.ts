import type { IncomingMessage } from 'node:http';
import type { ProxyRequestOptions } from '../proxy-server';

const SAFE: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a method is safe (RFC 9110, section 9.2.1): sending it twice does no more than sending it once. */
export function isReplayableMethod(method: string | undefined): boolean {
  return SAFE.has(method);
}

/** Whether a request carries a body. */
export function hasBody(req: IncomingMessage): boolean {
  const headers = req.headers;
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** Whether a request may be sent once more when the connection that it was sent on turns out dead. */
export function isReplayable(req: IncomingMessage, { buffer }: ProxyRequestOptions): boolean {
  return isReplayableMethod(req.method) && !hasBody(req) && buffer === undefined;
}
