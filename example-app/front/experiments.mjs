// What needs requests that go on while something is restarted: each gives a count of what its clients saw.
import { startLoad } from './steady-load.mjs';

/** Orders answered before and after, so that each client is at work when it happens. */
const WARM_UP = 12;

/** The price service ends in the middle of its work, and another one starts on its port. */
export async function restartPriceService({ priceService, trials, url }) {
  const upstream = startLoad(`${url}/upstream/order/busy`, ['GET']);
  const snippet = startLoad(`${url}/snippet/order/busy`, ['GET']);
  const haveAnswered = () => Promise.all([upstream.answered(WARM_UP), snippet.answered(WARM_UP)]);
  await haveAnswered();
  const downMs = await priceService.restart(async () => {
    await trials.isAtWork(upstream.mark);
    await trials.isAtWork(snippet.mark);
  });
  await haveAnswered();
  return { downMs, upstream: await upstream.stop(), snippet: await snippet.stop() };
}

/** A new gateway takes over from the running one, which is told to end by SIGTERM, or dies as if it had no drain. */
export async function deploy({ gateways, trials, url }, { drain }) {
  const load = startLoad(`${url}/ours/order/busy`, ['GET', 'POST']);
  await load.answered(WARM_UP);
  const old = gateways.newest;
  await gateways.start();
  await trials.isAtWork(load.mark);
  const stoppedAt = Date.now();
  const { code, signal } = await old.stop(drain ? 'SIGTERM' : 'SIGKILL');
  const stopMs = Date.now() - stoppedAt;
  await load.answered(WARM_UP);
  return { stopMs, exit: code ?? signal, orders: await load.stop() };
}
