import type { UndiciHeaders } from '../load-undici';
import { fetchErrorOf } from '../call/call-error';
import { withBudget } from '../call/outbound-budget';
import type { Transport } from './transport';

/** Sends with undici's `fetch()`. */
export const fetchTransport: Transport<Response, UndiciHeaders> = {
  send({ undici, newSignal }, wire, plan, budgetMs, canEnd) {
    // No signal where nothing can abort the call: listening to one costs undici more than all the rest of a call.
    const source = canEnd ? newSignal() : undefined;
    if (source) {
      const giveUp = (reason: unknown): void => source.abort(reason);
      wire.onGiveUp = giveUp;
    }
    const init = {
      ...plan.init,
      signal: source?.signal,
      headers: withBudget(plan.headers, budgetMs),
      dispatcher: wire,
    };
    return undici.fetch(wire.endpoint.origin + plan.path, init as never) as unknown as Promise<Response>;
  },
  errorOf: fetchErrorOf,
  statusOf: ({ status }) => status,
  headerOf: ({ headers }, name) => headers.get(name),
  // A lock does not tell whether somebody is really reading. A lock without reading is rare.
  isBeingRead: ({ body }) => body?.locked === true,
  discard({ body }) {
    body?.cancel().catch(() => undefined);
  },
};
