import { EventEmitter, once } from 'node:events';

/** How long a report waits for the request to end at its client, and then for the gateway to let go of the price service. */
const PATIENCE_MS = 1500;
/** How long news of the call may still be on its way when the request has ended. */
const NEWS_MS = 100;
const KEPT = 500;

/** What became of each marked request, at its client and behind the gateway. All times are ms. */
export class Trials {
  #trials = new Map();
  #restarts = [];
  #changed = new EventEmitter().setMaxListeners(0);

  /** The front tells how the request ended for its client. */
  clientEnded(id, end) {
    this.#trial(id).client = end;
    this.#changed.emit(`trial ${id}`);
  }

  /** The price service tells of a call: 'called', and later how it ended. */
  priceServiceSays({ trial, event, at }) {
    const { calls } = this.#trial(trial);
    if (event === 'called') calls.push({ calledAt: at });
    else Object.assign(calls.find(isOpen) ?? {}, { outcome: event, at });
    this.#changed.emit(`trial ${trial}`);
  }

  /** The price service has ended, and its connections with it. */
  priceServiceEnded() {
    for (const [trial, { calls }] of this.#trials) {
      const end = { trial, event: 'broken by the price service', at: Date.now() };
      calls.filter(isOpen).forEach(() => this.priceServiceSays(end));
    }
  }

  /** Something is being restarted from now on; gives the function that ends that. */
  restartBegins() {
    const restart = { from: Date.now(), to: Infinity };
    this.#restarts.push(restart);
    return () => (restart.to = Date.now());
  }

  /** The report, as soon as both sides are over; `undefined` where no such request has ended. */
  async report(id) {
    await this.#until(id, () => this.#trials.get(id)?.client, PATIENCE_MS);
    const trial = this.#trials.get(id);
    if (trial?.client === undefined) return undefined;
    await this.#until(id, () => trial.calls.length > 0, NEWS_MS);
    await this.#until(id, () => !trial.calls.some(isOpen), PATIENCE_MS);
    const { startedAt, at } = trial.client;
    const duringRestart = this.#restarts.some(({ from, to }) => from <= at && to >= startedAt);
    return { client: clientReport(trial.client), priceService: callsReport(trial), duringRestart };
  }

  /** Whether the price service is at work for a request with this mark; waits until it is. */
  async isAtWork(id) {
    const hasOpenCall = () => this.#trials.get(id)?.calls.some(isOpen) ?? false;
    await this.#until(id, hasOpenCall, PATIENCE_MS);
    return hasOpenCall();
  }

  async #until(id, isTrue, ms) {
    const signal = AbortSignal.timeout(ms);
    while (!isTrue() && !signal.aborted) await once(this.#changed, `trial ${id}`, { signal }).catch(() => {});
  }

  #trial(id) {
    if (!this.#trials.has(id)) this.#trials.set(id, { client: undefined, calls: [] });
    if (this.#trials.size > KEPT) this.#trials.delete(this.#trials.keys().next().value);
    return this.#trials.get(id);
  }
}

function isOpen({ outcome }) {
  return outcome === undefined;
}

function clientReport({ status, bytes, outcome, startedAt, at }) {
  return { status, bytes, outcome, ms: at - startedAt };
}

function callsReport({ client, calls }) {
  const last = calls.at(-1);
  if (last === undefined) return { calls: 0, outcome: 'not called' };
  if (isOpen(last)) return { calls: calls.length, outcome: 'still open' };
  const { outcome, calledAt, at } = last;
  // Negative: the connection was closed before the client had its answer.
  return { calls: calls.length, outcome, ms: at - calledAt, afterClientMs: at - client.at };
}
