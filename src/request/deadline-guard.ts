import type { RequestHandler } from 'express';
import { DeadlineExceededError } from '../errors';
import { checkNames, refuseForgottenCall, wrongType } from '../options';
import { defineAccessors } from './accessors';
import { deadlineReader, type DeadlineValue } from './deadline-value';
import { lifetimeOf, newLifetime, type Until } from './lifetime';

/** The options of `deadline()`. */
export interface DeadlineOptions {
  /**
   * `'start'` (the default): the response must have started in time. `'finish'`: it must be complete in time; past the
   * deadline a response that is still under way is cut.
   */
  until?: Until;
}

/**
 * Makes a route-level guard: this route's deadline, in ms from the request's arrival, longer or shorter than the app's;
 * `false` for none (the signal stays). An inherited budget remains the cap. Works without `hangup()` too.
 *
 * A request that is already over when the guard runs does not start the route.
 * @throws {TypeError | RangeError} for a value or an option that is wrong.
 */
export function deadline(ms: DeadlineValue, options: DeadlineOptions = {}): RequestHandler {
  refuseForgottenCall('deadline', ms, "app.get('/report', deadline(60_000), report)");
  const read = deadlineReader('deadline(ms)', ms);
  const until = untilOf(options);
  return function deadlineGuard(req, res, next) {
    const existing = lifetimeOf(req);
    const lifetime = existing ?? newLifetime(req, res);
    if (existing === undefined) defineAccessors(req);
    // Over before: whoever ended it answers, or nobody is there to be answered. A late `next()` ends here.
    if (lifetime.reason !== undefined || lifetime.settled) return;
    lifetime.next = next;
    try {
      if (until !== undefined) lifetime.until = until;
      lifetime.setDeadline(read(req));
    } catch (error) {
      next(error);
      return;
    }
    if (lifetime.isOver()) lifetime.end(new DeadlineExceededError(lifetime.timeoutMs), 0);
    else next();
  };
}

function untilOf(options: DeadlineOptions): Until | undefined {
  checkNames('deadline()', options, ['until']);
  const until: unknown = options.until;
  if (until === undefined || until === 'start' || until === 'finish') return until;
  throw wrongType('deadline(): option "until"', until, "'start' or 'finish'");
}
