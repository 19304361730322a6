import type { Dispatcher } from 'undici';

type Handler = Dispatcher.DispatchHandler;

/** What is worth knowing of a request and its response on their way. */
export interface WireEvents {
  /** The next thing that happens is that bytes leave. */
  started(): void;
  answered(status: number): void;
  /** The response is complete. */
  ended(): void;
  failed(error: unknown): void;
}

/**
 * Listens to what undici tells the handler of a request. The handler is inherited from, not wrapped: undici's own
 * DecoratorHandler turns the headers of undici 7's fetch around twice, at 15 % of the CPU time of a small call.
 */
export function watchHandler(handler: Handler, events: WireEvents): Handler {
  const watched = Object.create(handler) as Handler;
  if (handler.onRequestStart) watchNewHandler(handler, watched, events);
  else watchOldHandler(handler, watched, events);
  return watched;
}

/** As fetch of undici 8 has it. */
function watchNewHandler(handler: Handler, watched: Handler, events: WireEvents): void {
  watched.onRequestStart = function (controller, context) {
    events.started();
    handler.onRequestStart?.call(this, controller, context);
  };
  watched.onResponseStart = function (controller, status, headers, message) {
    events.answered(status);
    handler.onResponseStart?.call(this, controller, status, headers, message);
  };
  watched.onResponseEnd = function (controller, trailers) {
    events.ended();
    handler.onResponseEnd?.call(this, controller, trailers);
  };
  watched.onResponseError = function (controller, error) {
    events.failed(error);
    handler.onResponseError?.call(this, controller, error);
  };
}

/* eslint-disable @typescript-eslint/no-deprecated -- what fetch of undici 7 still uses */
/** As fetch of undici 7 has it. */
function watchOldHandler(handler: Handler, watched: Handler, events: WireEvents): void {
  watched.onConnect = function (...args) {
    events.started();
    handler.onConnect?.apply(this, args);
  };
  watched.onHeaders = function (status, headers, resume, message) {
    events.answered(status);
    return handler.onHeaders?.call(this, status, headers, resume, message) ?? true;
  };
  watched.onComplete = function (trailers) {
    events.ended();
    handler.onComplete?.call(this, trailers);
  };
  watched.onError = function (error) {
    events.failed(error);
    handler.onError?.call(this, error);
  };
}
