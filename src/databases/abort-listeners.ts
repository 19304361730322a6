/** What hears of a signal's abort: one object for a query, from its start to its end. */
export interface AbortListener {
  /** Called with the signal's reason, once for each signal. */
  onAbort(reason: unknown): void;
}

/** What ends with a listener's registration. */
export interface Registration {
  remove(): void;
}

/** A place in the list of a signal's listeners. */
class Place implements Registration {
  previous: Place = this;
  next: Place = this;

  constructor(public listener: AbortListener | undefined) {}

  /** Puts another one behind this one. */
  append(place: Place): void {
    place.previous = this;
    place.next = this.next;
    this.next.previous = place;
    this.next = place;
  }

  /** Takes it out. It must not lead anywhere any more: one that has become old would keep all that came after it. */
  remove(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this.next = this;
    this.listener = undefined;
  }
}

/**
 * The listeners of each signal: the end of a list in a ring. One listener on the signal serves all of them: adding one to an
 * AbortSignal and taking it off again costs a microsecond for each query. A signal that is no longer used takes its list with it.
 *
 * Not a Set: a Set that is filled and emptied leaves tables behind whose entries live until the next full garbage collection,
 * and that cost a tenth of each query.
 */
const listenersOf = new WeakMap<AbortSignal, Place>();

/** Tells `listener` when one of the signals aborts, until what this gives is removed. A signal that has aborted says nothing. */
export function listen(signals: readonly AbortSignal[], listener: AbortListener): Registration {
  const [first] = signals;
  if (signals.length === 1 && first) return listenTo(first, listener);
  const places = signals.map((signal) => listenTo(signal, listener));
  return {
    remove() {
      for (const place of places) place.remove();
    },
  };
}

function listenTo(signal: AbortSignal, listener: AbortListener): Place {
  const place = new Place(listener);
  // While the listeners are being told, one that is new must not be among them.
  if (!signal.aborted) endOf(signal).previous.append(place);
  return place;
}

/** Calls `listener` when one of the signals aborts, at most once each. Gives the function that takes it off. */
export function onAbort(signals: readonly AbortSignal[], listener: (reason: unknown) => void): () => void {
  const registration = listen(signals, { onAbort: listener });
  return () => registration.remove();
}

function endOf(signal: AbortSignal): Place {
  const known = listenersOf.get(signal);
  if (known) return known;
  const end = new Place(undefined);
  listenersOf.set(signal, end);
  signal.addEventListener('abort', () => tellAll(end, reasonOf(signal)), { once: true });
  return end;
}

function tellAll(end: Place, reason: unknown): void {
  // One by one: a listener may be taken off by one before it, as a queue that is given up.
  for (let place = end.next; place !== end; place = end.next) {
    const { listener } = place;
    place.remove();
    listener?.onAbort(reason);
  }
}

/** A signal's reason; an AbortError where it is `null` or the like, which a callback would take for success. */
function reasonOf(signal: AbortSignal): unknown {
  return signal.reason || new DOMException('This operation was aborted', 'AbortError');
}

/** The reason of the first signal that has aborted. */
export function abortedReason(signals: readonly AbortSignal[]): { reason: unknown } | undefined {
  for (const signal of signals) if (signal.aborted) return { reason: reasonOf(signal) };
  return undefined;
}

/** Whether an error is nothing but the reason of one of these signals. */
export function isReasonOf(signals: readonly AbortSignal[], error: unknown): boolean {
  for (const signal of signals) if (signal.aborted && reasonOf(signal) === error) return true;
  return false;
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
