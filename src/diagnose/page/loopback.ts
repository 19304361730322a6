import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';

/** Headers that only a proxy adds: the connection is then the proxy's, and tells nothing of who asks. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/**
 * Whether a request comes from this machine, and from a person or program that meant this machine.
 *
 * The address of the connection decides: nothing that a client can write opens the page. Two things can only close it:
 * a proxy's header, because a proxy on this machine would make everybody local; and a `Host` that is not this machine's,
 * because a web page elsewhere can point a name of its own at 127.0.0.1 (DNS rebinding) and read the answer.
 */
export function isFromThisMachine(req: IncomingMessage): boolean {
  const { headers, socket } = req;
  if (!isLoopbackAddress(socket.remoteAddress)) return false;
  if (PROXY_HEADERS.some((name) => headers[name] !== undefined)) return false;
  return isLoopbackHost(headers.host ?? headers[':authority']);
}

function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.toLowerCase().startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

function isLoopbackHost(host: unknown): boolean {
  // A request of HTTP/1.0 may come without; no browser sends one.
  if (host === undefined) return true;
  if (typeof host !== 'string') return false;
  const name = host.replace(/:\d*$/, '').toLowerCase();
  return (
    name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name.replace(/^\[|\]$/g, ''))
  );
}
