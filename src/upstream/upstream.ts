import { createUpstream } from './create-upstream';
import { loadUndici } from './load-undici';
import type { Upstream, UpstreamOptions } from './types';

/**
 * Makes a client for one upstream: it keeps sockets no longer than the upstream does, carries the request's signal and
 * the time that is left, and sends again what can be sent again. Make one for each upstream, once, and share it.
 *
 * @param origin - Scheme, host and port: `http://users:3001`. A list of them for an upstream that runs several times.
 * @throws {TypeError} for an origin that is none, options of the wrong type or with unknown names.
 * @throws {RangeError} for numbers out of range.
 * @throws {Error} where undici is missing, or does not fit this version of Node.
 */
export function upstream(
  origin: string | URL | readonly (string | URL)[],
  options: UpstreamOptions = {},
): Upstream {
  return createUpstream(loadUndici(), origin, options);
}
