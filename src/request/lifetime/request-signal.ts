type Listener = ((event: Event) => unknown) | object | null;

/**
 * The AbortController behind `req.signal`.
 *
 * If an event listener returns an object with a `then`, Node treats it as a promise and turns its rejection into an
 * uncaught exception. `() => superagentRequest.abort()` returns such an object: the request itself, which rejects
 * because it was aborted. So the listeners of this signal are wrapped and return nothing. (If a listener is an
 * async function, Node reports its rejection as unhandled, as everywhere.)
 */
export function requestController(): AbortController {
  const controller = new AbortController();
  Object.setPrototypeOf(controller.signal, REQUEST_SIGNAL);
  return controller;
}

const REQUEST_SIGNAL = Object.create(AbortSignal.prototype, {
  addEventListener: method(function addEventListener(this: AbortSignal, type, listener, options) {
    AbortSignal.prototype.addEventListener.call(this, type, quiet(listener) as never, options);
  }),
  removeEventListener: method(function removeEventListener(this: AbortSignal, type, listener, options) {
    AbortSignal.prototype.removeEventListener.call(this, type, quiet(listener) as never, options);
  }),
}) as AbortSignal;

type Listening = (
  this: AbortSignal,
  type: string,
  listener: Listener,
  options?: AddEventListenerOptions,
) => void;

function method(value: Listening): PropertyDescriptor {
  return { value, configurable: true, enumerable: false, writable: true };
}

// One wrapper for each listener, so that adding a listener twice and removing it work as usual.
const quietListeners = new WeakMap<object, (this: unknown, event: Event) => void>();

function quiet(listener: Listener): Listener {
  if (typeof listener !== 'function') return listener;
  let silent = quietListeners.get(listener);
  if (silent === undefined) {
    silent = function (event) {
      Reflect.apply(listener as (event: Event) => unknown, this, [event]);
    };
    quietListeners.set(listener, silent);
  }
  return silent;
}
