import type { RequestListener } from 'node:http';
import type { FaultyUpstream } from 'express-hangup/testing';

/** An app that answers 502 where its upstream fails; `first` may answer in its place. */
export function callingApp(upstream: FaultyUpstream, first: RequestListener): RequestListener {
  return (req, res) => {
    first(req, res);
    if (res.headersSent) return;
    fetch(upstream.url).then(
      async (answer) => res.end(await answer.text()),
      () => res.writeHead(502).end('broken'),
    );
  };
}
