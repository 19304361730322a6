/** Called with the signal's reason. */
type AbortListener = (reason: unknown) => void;

/**
 * The listeners of each signal. One listener on the signal serves all of them: adding one to an AbortSignal and taking it
 * off again costs a microsecond, and a query needs three. A signal that is no longer used takes its set with it.
 */
const listenersOf = new WeakMap<AbortSignal, Set<AbortListener>>();

/** Calls `listener` when one of the signals aborts, at most once each. Gives the function that takes it off. */
export function onAbort(signals: readonly AbortSignal[], listener: AbortListener): () => void {
  const [only] = signals;
  // Nearly always one: then without lists.
  if (signals.length === 1 && only) {
    const set = setOf(only).add(listener);
    return () => void set.delete(listener);
  }
  const sets = signals.map(setOf);
  for (const set of sets) set.add(listener);
  return () => {
    for (const set of sets) set.delete(listener);
  };
}

function setOf(signal: AbortSignal): Set<AbortListener> {
  const known = listenersOf.get(signal);
  if (known) return known;
  const listeners = new Set<AbortListener>();
  listenersOf.set(signal, listeners);
  signal.addEventListener('abort', () => callAll(listeners, reasonOf(signal)), { once: true });
  return listeners;
}

function callAll(listeners: Set<AbortListener>, reason: unknown): void {
  for (const listener of [...listeners]) {
    // A listener may have been taken off by one before it: a queue that was given up.
    if (listeners.delete(listener)) listener(reason);
  }
}

/** A signal's reason; an AbortError where it is `null` or the like, which a callback would take for success. */
function reasonOf(signal: AbortSignal): unknown {
  return signal.reason || new DOMException('This operation was aborted', 'AbortError');
}

/** The reason of the first signal that has aborted. */
export function abortedReason(signals: readonly AbortSignal[]): { reason: unknown } | undefined {
  const aborted = signals.find((signal) => signal.aborted);
  return aborted && { reason: reasonOf(aborted) };
}

const NONE: readonly AbortSignal[] = [];

/** The signals that a call obeys: those of its connection, and its own. Without one, always the same empty list. */
export function join(
  ofConnection: readonly AbortSignal[],
  own: AbortSignal | undefined,
): readonly AbortSignal[] {
  if (own === undefined || ofConnection.includes(own)) return ofConnection;
  return ofConnection.length === 0 ? [own] : [...ofConnection, own];
}

/** The list of a signal that may be missing. */
export function listOf(signal: AbortSignal | undefined): readonly AbortSignal[] {
  return signal === undefined ? NONE : [signal];
}

/** The `signal` of a query's or a connection's options; `undefined` where there is none. */
export function signalIn(options: unknown, where: string): AbortSignal | undefined {
  if (typeof options !== 'object' || options === null) return undefined;
  const { signal } = options as { signal?: unknown };
  if (signal === undefined || signal === null) return undefined;
  // Not instanceof: a signal of another realm, or of a polyfill, is as good.
  if (typeof signal === 'object' && 'aborted' in signal && 'addEventListener' in signal) {
    return signal as AbortSignal;
  }
  throw new TypeError(`${where}: signal must be an AbortSignal, such as req.signal.`);
}
