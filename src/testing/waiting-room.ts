interface Waiter {
  look: () => boolean;
  refuse: (error: Error) => void;
}

/**
 * Lets tests wait for a condition, which is checked again after each change. So a test waits for events and not for time,
 * and the error of a test that waits in vain says what it has waited for.
 */
export class WaitingRoom {
  readonly #waiters = new Set<Waiter>();
  #closed = false;
  readonly #patience: number;

  /** @param patience the longest time to wait for a condition, in milliseconds. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** Something has changed: checks every condition again. */
  changed(): void {
    for (const waiter of [...this.#waiters]) if (waiter.look()) this.#waiters.delete(waiter);
  }

  /** Resolves to what `look` gives as soon as it is not undefined; rejects with an Error that says `what` was awaited. */
  async until<T>(what: string, look: () => T | undefined): Promise<T> {
    const now = look();
    if (now !== undefined) return now;
    if (this.#closed) throw new Error(`Waited for ${what}, but everything is closed.`);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`Waited ${this.#patience} ms in vain for ${what}.`));
      }, this.#patience);
      const waiter: Waiter = {
        look: () => {
          const value = look();
          if (value === undefined) return false;
          clearTimeout(timer);
          resolve(value);
          return true;
        },
        refuse: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** Nothing will change any more: everything that still waits is rejected. */
  close(): void {
    this.#closed = true;
    this.changed();
    for (const { refuse } of this.#waiters)
      refuse(new Error('Waited for what cannot come any more: it was closed.'));
    this.#waiters.clear();
  }
}
