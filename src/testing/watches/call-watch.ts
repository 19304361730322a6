import type { Channel } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { callSite, firstTelling, type CallSite } from './call-site';
import { lastingChannel } from './lasting-channel';
import type { Leak } from './leak';

/** What undici publishes of a request, in any of its versions. */
interface UndiciRequest {
  origin?: unknown;
  method?: string;
  path?: string;
}

interface Call {
  what: string;
  site: CallSite;
  at: number;
}

/**
 * Watches every HTTP call that this process makes from now on, by node:http and by any copy of undici (and so by fetch), until
 * the call is over. So it also sees a call that hangs on a pooled connection that is older than the watch.
 */
export class CallWatch {
  readonly #calls = new Map<object, Call>();
  readonly #subscriptions: [Channel, (message: unknown) => void][] = [
    [
      lastingChannel('http.client.request.start'),
      (message) => this.#httpStarted((message as { request: ClientRequest }).request),
    ],
    [
      lastingChannel('undici:request:create'),
      (message) => this.#undiciStarted((message as { request: UndiciRequest }).request),
    ],
    [
      lastingChannel('undici:request:trailers'),
      (message) => this.#ended((message as { request: object }).request),
    ],
    [
      lastingChannel('undici:request:error'),
      (message) => this.#ended((message as { request: object }).request),
    ],
  ];

  constructor() {
    for (const [source, listener] of this.#subscriptions) source.subscribe(listener);
  }

  #httpStarted(request: ClientRequest): void {
    const what = `${request.method} ${request.protocol}//${request.host}${request.path}`;
    this.#calls.set(request, { what, site: callSite(), at: performance.now() });
    request.once('close', () => this.#ended(request));
  }

  #undiciStarted(request: UndiciRequest): void {
    const what = `${request.method} ${String(request.origin)}${request.path}`;
    this.#calls.set(request, { what, site: callSite(), at: performance.now() });
  }

  #ended(request: object): void {
    this.#calls.delete(request);
  }

  leaks(): Leak[] {
    const leaks: Leak[] = [];
    for (const { what, site, at } of this.#calls.values()) {
      const frames = site.frames();
      const ms = Math.round(performance.now() - at);
      leaks.push({
        kind: 'request',
        what: `the call ${what} has been waiting for ${ms} ms`,
        where: firstTelling(frames),
      });
    }
    return leaks;
  }

  stop(): void {
    for (const [source, listener] of this.#subscriptions) source.unsubscribe(listener);
    this.#calls.clear();
  }
}
