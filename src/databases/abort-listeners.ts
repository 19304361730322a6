/** Listens to a signal's abort: one object for a query, from its start to its end. */
export interface AbortListener {
  /** Called with the signal's reason, once for each signal. */
  onAbort(reason: unknown): void;
}

/** The registration of a listener. */
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

  /** Removes this place. Its links are cleared, because an old place would otherwise keep all later ones in memory. */
  remove(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this.next = this;
    this.listener = undefined;
  }
}

/** The list of a signal's listeners: a ring that begins and ends here. */
class Ring extends Place {
  constructor(private readonly signal: AbortSignal) {
    super(undefined);
    signal.addEventListener('abort', this, { once: true });
  }

  /** Tells all of them, in the order of their coming. */
  handleEvent(): void {
    const reason = reasonOf(this.signal);
    // One by one, because a listener may remove a later one, for example when a whole queue is given up.
    for (let place = this.next; place !== this; place = this.next) {
      const { listener } = place;
      place.remove();
      listener?.onAbort(reason);
    }
  }
}

/**
 * Where a signal has its ring. One listener on the AbortSignal serves all queries: adding one and removing it again costs more
 * than a place in the ring. When a signal is garbage-collected, its ring is, too.
 *
 * It is a property, because a WeakMap costs four times as much for a signal that has one query. And the list is no Set: a Set
 * that is filled and emptied leaves tables behind whose entries live until the next full garbage collection.
 */
const RING = Symbol('express-hangup.listeners');

type Signal = AbortSignal & { [RING]?: Ring };

/** The rings of signals that take no property. */
const otherRings = new WeakMap<AbortSignal, Ring>();

/**
 * Calls `listener` when one of the signals aborts, until the registration is removed. It ignores signals that have
 * aborted.
 */
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
  // A listener that is added while the others are called must not be called with them.
  if (!signal.aborted) ringOf(signal).previous.append(place);
  return place;
}

/** Calls `listener` when one of the signals aborts, at most once each. Gives the function that removes it. */
export function onAbort(signals: readonly AbortSignal[], listener: (reason: unknown) => void): () => void {
  const registration = listen(signals, { onAbort: listener });
  return () => registration.remove();
}

function ringOf(signal: Signal): Ring {
  const known = signal[RING] ?? (Object.isExtensible(signal) ? undefined : otherRings.get(signal));
  if (known) return known;
  const ring = new Ring(signal);
  if (Object.isExtensible(signal)) signal[RING] = ring;
  else otherRings.set(signal, ring);
  return ring;
}

/** A signal's reason; an AbortError if the reason is falsy, because a callback would take `null` for success. */
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

/** The signals that end a call: those of its connection, and its own. If there is none, always the same empty list. */
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
  // Without instanceof, because a signal of another realm, or of a polyfill, works as well.
  if (typeof signal === 'object' && 'aborted' in signal && 'addEventListener' in signal) {
    return signal as AbortSignal;
  }
  throw new TypeError(`${where}: signal must be an AbortSignal, such as req.signal.`);
}
