import { runInContext } from '../request/context';
import type { Lifetime } from '../request/lifetime/lifetime';
import { otherRuntime } from '../request/lifetime/runtime';
import { CallScope } from './call-scope';
import { disownSockets } from './disown-sockets';
import { followHttp } from './follow-http';
import { followUndici } from './follow-undici';
import { callRulesOf, type CallRules, type PropagateOptions } from './options';

/** The work of `hangup({ propagate })` for each request. */
export class Propagation {
  constructor(private readonly rules: CallRules) {}

  /** Runs what follows in a context whose calls end with the request. */
  run(lifetime: Lifetime, next: () => void): void {
    runInContext(new CallScope(lifetime, this.rules), next);
  }
}

const nothing = (): void => undefined;

/** How many propagations exist, and the function that stops following the process's calls. */
const following = { count: 0, stop: nothing };

// A middleware is garbage-collected with its app, and no other event shows that.
const registry = new FinalizationRegistry(release);

/**
 * Makes the propagation for the `propagate` option of `hangup()`; `undefined` for `false`. The process's HTTP
 * clients are followed from the first propagation on, until the last one has been garbage-collected. On Bun and
 * Deno a warning says which clients are not followed.
 * @throws {TypeError} for options of the wrong shape.
 */
export function propagation(options: boolean | PropagateOptions): Propagation | undefined {
  const rules = callRulesOf(options);
  if (rules === undefined) return undefined;
  const made = new Propagation(rules);
  if (following.count++ === 0) {
    following.stop = follow();
    warnOfOtherRuntime();
  }
  registry.register(made, undefined);
  return made;
}

/** Only Node's own fetch is undici, which publishes its calls. */
function warnOfOtherRuntime(): void {
  if (otherRuntime === undefined) return;
  process.emitWarning(
    `hangup(): option "propagate" follows node:http on ${otherRuntime}, but not the global fetch(): ` +
      'write fetch(url, { signal: req.signal }).',
    { code: 'EXPRESS_HANGUP_PROPAGATE' },
  );
}

function release(): void {
  if (--following.count > 0) return;
  following.stop();
  following.stop = nothing;
}

function follow(): () => void {
  const ends = [followHttp(), followUndici(), disownSockets()];
  return () => {
    for (const end of ends) end();
  };
}
