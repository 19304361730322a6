/** Actions that are to run later. All of them can be cancelled at once. */
export class Pauses {
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  /** Calls `go` after so many milliseconds, or when the promise has settled. */
  later(when: number | Promise<unknown>, go: () => void): void {
    if (this.#stopped) return;
    if (typeof when === 'number') {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        go();
      }, when);
      this.#timers.add(timer);
      return;
    }
    const unlessStopped = (): void => {
      if (!this.#stopped) go();
    };
    when.then(unlessStopped, unlessStopped);
  }

  /** Cancels all of them. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
