import { startProcess } from '../processes/start-process.mjs';

const FILE = new URL('../gateway/gateway.mjs', import.meta.url);
const CHECK_EVERY_MS = 100;

/** The running instances of the gateway, and which of them say that they are ready. */
export class Gateways {
  #env;
  #instances = new Set();
  #newest;

  constructor(env) {
    this.#env = env;
  }

  /** Starts an instance; it gets requests from its first ready answer to its first other one. */
  async start() {
    const process = await startProcess(FILE, { env: this.#env });
    const instance = { process, isReady: false };
    this.#instances.add(instance);
    this.#newest = instance;
    await check(instance);
    const timer = setInterval(check, CHECK_EVERY_MS, instance).unref();
    process.exited.then(() => {
      clearInterval(timer);
      this.#instances.delete(instance);
    });
  }

  /** The instance that was started last. */
  get newest() {
    return this.#newest.process;
  }

  /** The URL of an instance that is ready: of the oldest, until it says that it is going. */
  pick() {
    for (const { process, isReady } of this.#instances) if (isReady) return process.url;
    return undefined;
  }
}

/** What a load balancer, or Kubernetes, does ten times more rarely. */
async function check(instance) {
  try {
    const signal = AbortSignal.timeout(1000);
    const answer = await fetch(`${instance.process.url}/ready`, { signal, headers: { Connection: 'close' } });
    await answer.text();
    instance.isReady = answer.ok;
  } catch {
    instance.isReady = false;
  }
}
