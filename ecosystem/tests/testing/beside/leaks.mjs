// `node leaks.mjs <watchLeaks()|why-is-node-running> <leaky|right>` prints what one of them says after three clients have left
// an app that lets its calls to a silent upstream go on, or one that ends them.
import { once } from 'node:events';
import http, { createServer } from 'node:http';

const [tool, kind] = process.argv.slice(2);
const why = tool === 'watchLeaks()' ? undefined : (await import('why-is-node-running')).default;
const { clientThatHangsUp, faultyUpstream, watchLeaks } = await import('express-hangup/testing');

const upstream = await faultyUpstream({ fault: 'hang' });
const app = createServer((_req, res) => {
  const call = http.get(upstream.url, (answer) => answer.pipe(res));
  call.on('error', () => undefined);
  if (kind === 'right') res.on('close', () => call.destroy());
}).listen(0, '127.0.0.1');
await once(app, 'listening');

const watch = why === undefined ? watchLeaks() : undefined;
for (let i = 0; i < 3; i += 1) {
  const attempt = upstream.nextAttempt();
  await clientThatHangsUp(`http://127.0.0.1:${app.address().port}`, {
    leave: 'after-request',
    after: attempt,
  });
  if (kind === 'right') await upstream.untilClosed(await attempt);
}
if (watch) {
  await watch.expectNone({ within: 200 }).then(
    () => console.log('nothing'),
    (error) => console.log(error.message),
  );
} else why({ error: (...words) => console.log(...words) });
process.exit();
