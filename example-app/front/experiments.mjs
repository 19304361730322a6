// What needs requests that go on while something is restarted: each gives a count of what its clients saw.
import { startLoad } from './steady-load.mjs';

/** Orders answered before and after, so that each client is at work when it happens. */
const WARM_UP = 12;

/** The price service ends in the middle of its work, and another one starts on its port. */
export async function restartPriceService(priceService, url) {
  const loads = {
    upstream: startLoad(`${url}/upstream/order/busy`, ['GET']),
    snippet: startLoad(`${url}/snippet/order/busy`, ['GET']),
  };
  const answered = () => Promise.all(Object.values(loads).map((load) => load.answered(WARM_UP)));
  await answered();
  const downMs = await priceService.restart();
  await answered();
  return { downMs, upstream: await loads.upstream.stop(), snippet: await loads.snippet.stop() };
}

/** A new gateway takes over from the running one, which is told to end by SIGTERM, or dies as if it had no drain. */
export async function deploy(gateways, url, { drain }) {
  const load = startLoad(`${url}/ours/order/busy`, ['GET', 'POST']);
  await load.answered(WARM_UP);
  const old = gateways.newest;
  await gateways.start();
  const startedAt = Date.now();
  const { code, signal } = await old.stop(drain ? 'SIGTERM' : 'SIGKILL');
  const stopMs = Date.now() - startedAt;
  await load.answered(WARM_UP);
  return { stopMs, exit: code ?? signal, orders: await load.stop() };
}
