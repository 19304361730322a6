import { createUpstream } from './create-upstream';
import { loadUndici } from './load-undici';
import type { Upstream, UpstreamOptions } from './types';

/**
 * Makes a client for one upstream. The client closes idle sockets before the upstream does, aborts its calls by the
 * request's signal, tells the upstream how much time is left, and repeats a failed call where that is safe. Make one
 * client for each upstream, once, and share it.
 *
 * @param origin - Scheme, host and port: `http://users:3001`. A list of them for an upstream that runs several times.
 * @throws {TypeError} for an invalid origin, and for options of the wrong type or with unknown names.
 * @throws {RangeError} for numbers out of range.
 * @throws {Error} where undici is missing, or does not fit this version of Node.
 */
export function upstream(
  origin: string | URL | readonly (string | URL)[],
  options: UpstreamOptions = {},
): Upstream {
  return createUpstream(loadUndici(), origin, options);
}
