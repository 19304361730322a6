/**
 * `setTimeout()` with a timer that does not keep the process alive. Where timers are numbers, as in Jest's jsdom environment, it
 * does.
 */
export function unrefTimeout<Args extends unknown[]>(
  callback: (...args: Args) => void,
  ms: number,
  ...args: Args
): NodeJS.Timeout {
  const timer = setTimeout(callback, ms, ...args);
  (timer as Partial<NodeJS.Timeout>).unref?.();
  return timer;
}
