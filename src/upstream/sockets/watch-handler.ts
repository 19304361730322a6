import type { Dispatcher } from 'undici';

import type { PooledConnection } from './pooled-connection';

type Handler = Required<Dispatcher.DispatchHandler>;

/** Hears what becomes of a request and of its response. */
export interface RequestObserver {
  /** The request has got a connection, which may still have to connect. Returns whether the request is still wanted. */
  assign(connection: PooledConnection): boolean;
  /**
   * The request is about to be written.
   * @param abort - Aborts the request and the reading of its response with the given reason.
   */
  started(abort: (reason: Error) => void): void;
  answered(status: number): void;
  /** The response is complete. */
  ended(): void;
  failed(error: unknown): void;
}

/**
 * Wraps the handler by which undici reports to its `fetch()` or `request()`, and tells the observer too. With undici 8 its
 * own DecoratorHandler would do. That of undici 7 converts all headers twice, at 15 % of the CPU time of a small call.
 */
export function watchHandler(
  handler: Dispatcher.DispatchHandler,
  observer: RequestObserver,
): Dispatcher.DispatchHandler {
  return handler.onRequestStart
    ? new WatchedHandler(handler as Handler, observer)
    : new WatchedOldHandler(handler as Handler, observer);
}

/** The observer of a request, by the handler that `watchHandler()` has made; undefined for any other handler. */
export function observerOf(handler: object): RequestObserver | undefined {
  return handler instanceof WatchedHandler || handler instanceof WatchedOldHandler
    ? handler.observer
    : undefined;
}

/**
 * Whether a response is whole that undici takes for cut: a 304 may announce the length that a 200 would have (RFC 9110, section
 * 8.6), and some servers give a 204 one.
 */
function isWhole(status: number, error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return (status === 304 || status === 204) && code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
}

/** Wraps a handler of undici 8. */
class WatchedHandler implements Dispatcher.DispatchHandler {
  private status = 0;

  constructor(
    private readonly handler: Handler,
    readonly observer: RequestObserver,
  ) {}

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.observer.started((reason) => controller.abort(reason));
    this.handler.onRequestStart(controller, context);
  }

  onRequestUpgrade(...args: Parameters<Handler['onRequestUpgrade']>): void {
    this.handler.onRequestUpgrade(...args);
  }

  /** Missing in undici's types. fetch uses it to take the time of the first byte. */
  onResponseStarted(): void {
    // eslint-disable-next-line @typescript-eslint/no-deprecated, @typescript-eslint/no-unnecessary-condition -- see above
    this.handler.onResponseStarted?.();
  }

  onResponseStart(...args: Parameters<Handler['onResponseStart']>): void {
    this.status = args[1];
    this.observer.answered(this.status);
    this.handler.onResponseStart(...args);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.handler.onResponseData(controller, chunk);
  }

  onResponseEnd(...args: Parameters<Handler['onResponseEnd']>): void {
    this.observer.ended();
    this.handler.onResponseEnd(...args);
  }

  onResponseError(...args: Parameters<Handler['onResponseError']>): void {
    if (isWhole(this.status, args[1])) {
      this.onResponseEnd(args[0], {});
      return;
    }
    this.observer.failed(args[1]);
    this.handler.onResponseError(...args);
  }
}

/* eslint-disable @typescript-eslint/no-deprecated -- what fetch of undici 7 still uses */
/** Wraps a handler of undici 7. */
class WatchedOldHandler implements Dispatcher.DispatchHandler {
  private status = 0;

  constructor(
    private readonly handler: Handler,
    readonly observer: RequestObserver,
  ) {}

  onConnect(...args: Parameters<Handler['onConnect']>): void {
    this.observer.started(args[0]);
    this.handler.onConnect(...args);
  }

  onUpgrade(...args: Parameters<Handler['onUpgrade']>): void {
    this.handler.onUpgrade(...args);
  }

  onResponseStarted(): void {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- the handler of `request()` has none
    this.handler.onResponseStarted?.();
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean {
    this.status = status;
    this.observer.answered(status);
    return this.handler.onHeaders(status, headers, resume, statusText);
  }

  onData(chunk: Buffer): boolean {
    return this.handler.onData(chunk);
  }

  onComplete(trailers: string[] | null): void {
    this.observer.ended();
    this.handler.onComplete(trailers);
  }

  onError(...args: Parameters<Handler['onError']>): void {
    if (isWhole(this.status, args[0])) {
      this.onComplete([]);
      return;
    }
    this.observer.failed(args[0]);
    this.handler.onError(...args);
  }
}
