import { startProcess } from '../processes/start-process.mjs';

const FILE = new URL('./price-service.mjs', import.meta.url);

/** Starts the price service and keeps it at one port, also when it is restarted. */
export async function startPriceService({ onMessage, onEnd }) {
  let process = await startProcess(FILE, { env: { PRICES_PORT: '0' }, onMessage });
  const { url } = process;
  const env = { PRICES_PORT: new URL(url).port };

  /**
   * Ends it with whatever it is doing, once `moment()` has come, and has another one listen in its place. Resolves to how
   * long nobody listened, in ms.
   */
  async function restart(moment) {
    let next;
    await new Promise((resolve) => {
      const onNews = (message) => (message.waitsForPort ? resolve() : onMessage(message));
      next = startProcess(FILE, { env, onMessage: onNews });
      next.catch(resolve);
    });
    await moment();
    const stoppedAt = Date.now();
    await process.stop();
    onEnd();
    process = await next;
    return Date.now() - stoppedAt;
  }

  return {
    url,
    restart,
    get pid() {
      return process.pid;
    },
  };
}
