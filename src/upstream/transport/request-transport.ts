import type { UpstreamResponse } from '../types';
import { callErrorOf } from '../call/call-error';
import { withPlainBudget } from '../call/outbound-budget';
import type { PlainHeaders } from '../call/request-options';
import type { Transport } from './transport';

/** undici's `request()` with a callback. This form is missing in its types. */
type RequestWithCallback = (
  this: unknown,
  options: object,
  callback: (error: Error | null, response: UpstreamResponse) => void,
) => void;

/** Sends with undici's `request()`. */
export const requestTransport: Transport<UpstreamResponse, PlainHeaders> = {
  send({ undici }, wire, plan, budgetMs) {
    return new Promise((resolve, reject) => {
      // Cheaper than an AbortController: undici provides an abort function when it begins to write the request.
      const giveUp = (reason: unknown): void => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason may be anything
        reject(reason);
        wire.abort(reason);
      };
      wire.onGiveUp = giveUp;
      const options = {
        ...plan.init,
        origin: wire.endpoint.origin,
        path: plan.path,
        method: plan.method,
        headers: withPlainBudget(plan.headers, budgetMs),
      };
      const { request } = undici.Dispatcher.prototype as unknown as { request: RequestWithCallback };
      request.call(wire, options, (error, response) => {
        if (error) reject(error);
        else resolve(response);
      });
    });
  },
  errorOf: callErrorOf,
  statusOf: ({ statusCode }) => statusCode,
  headerOf({ headers }, name) {
    const value = headers[name];
    return typeof value === 'string' ? value : null;
  },
  isBeingRead: ({ body }) => body.readableFlowing === true || body.listenerCount('readable') > 0,
  discard({ body }) {
    body.on('error', () => undefined).destroy();
  },
};
