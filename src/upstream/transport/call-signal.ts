import type { Undici } from '../load-undici';

/** Makes the signal that aborts a call. Both Node's AbortController and `CallSignal` are such sources. */
export interface SignalSource {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

/**
 * The part of an AbortSignal that undici's fetch needs: a single listener, undici's own. A real signal costs a controller
 * and an event target, on which undici leaves its listener until a finalizer removes it.
 *
 * A signal is needed because it is the only way to make the reading of a body fail with a given reason. If the request is
 * ended on the wire, the reading fails with `TypeError: terminated`.
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

// undici recognises a signal by its prototype.
Object.setPrototypeOf(CallSignal.prototype, AbortSignal.prototype);

/** Makes the signals of calls: light ones if this undici obeys them, and otherwise Node's own, as on Node 20. */
export function signalMaker(undici: Pick<Undici, 'Request'>): () => SignalSource {
  return obeysCallSignals(undici) ? () => new CallSignal() : () => new AbortController();
}

/** Tries it out instead of comparing versions: undici does not document what it needs of a signal. */
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
