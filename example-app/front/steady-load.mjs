import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const CLIENTS = 4;
const PAUSE_MS = 20;

/**
 * Four clients that ask for one order after the other, by each method in turn; stop() gives the count. They keep their
 * connections and repeat nothing: what fails is counted.
 */
export function startLoad(url, methods) {
  const mark = randomUUID();
  const count = { requests: 0, failed: 0, failures: {} };
  let isStopped = false;
  const clients = Promise.all(Array.from({ length: CLIENTS }, client));

  async function client() {
    for (let turn = 0; !isStopped; turn += 1) {
      const failure = await order(`${url}?trial=${mark}`, methods[turn % methods.length]);
      count.requests += 1;
      if (failure !== undefined) {
        count.failed += 1;
        count.failures[failure] = (count.failures[failure] ?? 0) + 1;
      }
      await pause(PAUSE_MS);
    }
  }

  return {
    /** The mark by which the lab knows these orders. */
    mark,
    /** Resolves when `more` further orders have been answered. */
    async answered(more) {
      const enough = count.requests + more;
      while (count.requests < enough) await pause(PAUSE_MS);
    },
    async stop() {
      isStopped = true;
      await clients;
      return count;
    },
  };
}

/** One order; what went wrong, or `undefined`. */
async function order(url, method) {
  const post = { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ quantity: 2 }) };
  try {
    const answer = await fetch(url, { method, ...(method === 'POST' ? post : {}) });
    await answer.text();
    return answer.ok ? undefined : `${method} ${answer.status}`;
  } catch {
    return `${method} without an answer`;
  }
}
