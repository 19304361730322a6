import type { Undici } from '../load-undici';

/** What a call is given up by, in the form that undici's fetch takes. */
export interface SignalSource {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

/**
 * As much of an AbortSignal as undici's fetch asks of one: it has one listener, which is undici's own. A real one has a
 * controller and an event target of Node's, whose listener undici leaves on it for a finalizer to remove.
 *
 * Why a signal at all: it is the only way to make the reading of a body fail with a given reason. Whoever ends the request
 * on the wire gets `TypeError: terminated`.
 */
class CallSignal {
  readonly aborted: boolean = false;
  readonly reason: unknown = undefined;
  private listener: ((this: CallSignal) => void) | undefined = undefined;

  addEventListener(_type: string, listener: (this: CallSignal) => void): void {
    this.listener = listener;
  }

  removeEventListener(): void {
    this.listener = undefined;
  }

  get signal(): AbortSignal {
    return this as unknown as AbortSignal;
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    Object.assign(this, { aborted: true, reason });
    const { listener } = this;
    this.listener = undefined;
    listener?.call(this);
  }
}

// By the prototype undici tells a signal from another object.
Object.setPrototypeOf(CallSignal.prototype, AbortSignal.prototype);

/** Makes the signals of calls: light ones where this undici obeys them, and else Node's own, as on Node 20. */
export function signalMaker(undici: Pick<Undici, 'Request'>): () => SignalSource {
  return obeysCallSignals(undici) ? () => new CallSignal() : () => new AbortController();
}

/** Tried out rather than known by version: what undici asks of a signal is no promise of its own. */
function obeysCallSignals({ Request }: Pick<Undici, 'Request'>): boolean {
  const source = new CallSignal();
  const reason = new Error('tried out');
  try {
    const { signal } = new Request('http://127.0.0.1', { signal: source.signal });
    source.abort(reason);
    return signal.aborted && signal.reason === reason;
  } catch {
    return false;
  }
}
