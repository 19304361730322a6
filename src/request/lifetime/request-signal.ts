type Listener = ((event: Event) => unknown) | object | null;

/**
 * The AbortController behind `req.signal`.
 *
 * Node takes what an event listener returns for a promise if it has a `then`, and makes an uncaught exception of its
 * rejection. `() => superagentRequest.abort()` returns such a thing: the request itself, which rejects because it was
 * aborted. So listeners of this signal return nothing. (Promises of a listener that is an async function are reported by
 * Node as unhandled, as everywhere.)
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

// One for each listener, so that adding it twice and taking it off work as ever.
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
