// Counts the lifetimes that something still holds, by Node's own account of their async resources.
import { createHook } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/** Counts from now on, until the test is over. `hangup({ context: true })` makes the async resource that is counted. */
export function countLifetimes(t) {
  const lifetimes = new Set();
  const hook = createHook({
    init: (id, type) => type === 'express-hangup' && lifetimes.add(id),
    destroy: (id) => lifetimes.delete(id),
  }).enable();
  t.after(() => hook.disable());
  return lifetimes;
}

/** Node tells of each lifetime when it has been garbage-collected: no timer, listener or list holds it then. */
export async function untilCollected(lifetimes, allowed = 0) {
  while (lifetimes.size > allowed) {
    gc();
    await new Promise(setImmediate);
  }
}
