import { routes } from './routes.mjs';

const label = { express: 'Express 5', express4: 'Express 4', http2: 'HTTP/2' };

const subject = (guard, route, express, ours) => ({
  name: `${guard}: ${route} (${label[express]})`,
  guard,
  route,
  express,
  ours,
});

/** Ours: every route on both versions of Express, and over HTTP/2 what does not need Express. */
const ours = [
  ...['express', 'express4'].flatMap((express) =>
    Object.keys(routes).map((route) => subject('express-hangup', route, express, true)),
  ),
  ...['fetch, parsed', 'fetch, streamed', 'upstream(), parsed'].map((route) =>
    subject('express-hangup', route, 'http2', true),
  ),
];

const peers = [
  ['nothing', 'fetch, parsed'],
  ['nothing', 'fetch, streamed'],
  ['nothing', 'node:http, streamed'],
  ['the snippet', 'fetch, parsed'],
  ['the snippet', 'fetch, streamed'],
  ['connect-timeout', 'fetch, parsed'],
  ['express-timeout-handler', 'fetch, parsed'],
  ['nothing', 'http-proxy-middleware 3'],
  ['nothing', 'http-proxy-middleware 4'],
].map(([guard, route]) => ({
  ...subject(guard, route, 'express', false),
  // Its `close` comes as soon as a body has been read: it answers 504 to every POST, also while all is well.
  ...(guard === 'the snippet' && { methods: ['GET'] }),
}));

export const subjects = [...ours, ...peers];
