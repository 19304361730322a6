import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';

/**
 * Headers that no client sends by itself: a proxy has added them, or a CDN. Prefixes stand for whole families.
 * `x-forwarded`, `x-real-ip`, `forwarded` and `via` come from nginx's, Apache's, HAProxy's and Traefik's usual settings.
 */
const PROXY_HEADERS =
  /^(?:forwarded|via|x-forwarded(?:-.*)?|x-real-ip|x-client-ip|x-cluster-client-ip|x-original-.*|x-envoy-.*|x-amzn?-.*|x-appengine-.*|x-arr-.*|x-azure-.*|x-vercel-.*|x-request-start|x-scheme|x-proxy.*|proxy-.*|true-client-ip|cf-.*|cdn-loop|fly-.*|fastly-.*|client-ip|x-host|x-nginx-.*|ssl-client-.*|x-ssl-.*)$/;

/** Why a request is not let in, in words for who has made it; `undefined` for one that is. */
export type Refusal = string | undefined;

const ALLOW = 'Behind a proxy, and in production, give diagnose({ allow: (req) => … }) a check of your own.';

/**
 * Why a request is refused; `undefined` if it comes from this machine itself, was meant for it, and came through no
 * proxy.
 *
 * The connection's address must be local; the other rules can only refuse. Behind a proxy on the same machine every
 * connection is local, many proxies add no header, and a proxy may pass on everything that its client sends. There
 * is one exception: the `Connection` field is for one connection only, and an intermediary must remove it (RFC
 * 9110, 7.6.1). Browsers and Node's clients send `Connection: keep-alive`; nginx sends `close` or nothing, HAProxy
 * nothing. So a sender of this field has made this very connection. Proxies written in Node may send it too, but
 * they are recognised by the small letters of the header names that they copy. A proxy that is configured to send
 * the field itself, or that passes on bytes, could still be taken for its client. So in production the page is
 * closed without `allow`.
 */
export function refusalOf(req: IncomingMessage): Refusal {
  const broken = RULES.find(([isBroken]) => isBroken(req));
  return broken && `Forbidden: ${broken[1]}\n${ALLOW}\n`;
}

type Rule = readonly [isBroken: (req: IncomingMessage) => boolean, words: string];

const RULES: readonly Rule[] = [
  [
    () => process.env['NODE_ENV'] === 'production',
    'in production (NODE_ENV) nobody may see this page without a check of the app.',
  ],
  [
    ({ socket }) => !isLoopbackAddress(socket.remoteAddress),
    'this page is for this machine only, and the connection comes from elsewhere.',
  ],
  [
    ({ headers }) => Object.keys(headers).some((name) => PROXY_HEADERS.test(name)),
    'the request has a header that only proxies add (X-Forwarded-For and the like), so the connection is the proxy’s and tells nothing of who asks.',
  ],
  [
    ({ httpVersion, headers }) =>
      httpVersion !== '1.1' || headers.connection?.trim().toLowerCase() !== 'keep-alive',
    'the request does not say "Connection: keep-alive" in HTTP/1.1, which no proxy hands on. Browsers say it; curl does with -H "Connection: keep-alive".',
  ],
  [
    ({ rawHeaders }) => !rawHeaders.includes('Host') || !rawHeaders.includes('Connection'),
    'its header names are in small letters, as those of Node’s proxies are, which copy them from another request (and of Node’s fetch; http.get() and curl may ask).',
  ],
  [
    (req) => !isThisHost(req),
    'the Host is not the local address and port at which the connection has arrived: a proxy, or a name from elsewhere, may have led here.',
  ],
  [
    ({ headers }) => {
      const site = headers['sec-fetch-site'];
      return site !== undefined && site !== 'same-origin' && site !== 'none';
    },
    'another site has asked for it (Sec-Fetch-Site).',
  ],
  [
    ({ headers: { origin, host = '' } }) =>
      origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`,
    'another site has asked for it (Origin).',
  ],
];

function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.toLowerCase().startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

/** Whether the name that the client has used is this machine's own, with the port of this very connection. */
function isThisHost({ headers, socket }: IncomingMessage): boolean {
  const { host } = headers;
  if (host === undefined) return false;
  const [, name = '', port] = /^(.*?)(?::(\d{1,5}))?$/.exec(host.toLowerCase()) ?? [];
  const usual = (socket as { encrypted?: boolean }).encrypted === true ? 443 : 80;
  const isLocal =
    name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name.replace(/^\[|\]$/g, ''));
  return isLocal && (port === undefined ? usual : Number(port)) === socket.localPort;
}
