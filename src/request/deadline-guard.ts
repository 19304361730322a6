import type { RequestHandler } from 'express';
import { DeadlineExceededError } from '../errors';
import { boolean, checkNames, refuseForgottenCall, wrongType } from '../options';
import { defineAccessors } from './lifetime/accessors';
import { deadlineReader, type DeadlineValue } from './deadline-value';
import { newLifetime } from './attach-lifetime';
import { lifetimeOf } from './lifetime/lifetime-of';
import { termChanges, withTerms, type TermChanges, type Until } from './lifetime/terms';

/** The options of `deadline()`. */
export interface DeadlineOptions {
  /**
   * `'start'` (the default): the response must have started in time. `'finish'`: it must be complete in time; past the
   * deadline a response that is still under way is cut.
   */
  until?: Until;
  /**
   * Whether a success (a status below 400) that the handler sends within the grace reaches the client, for example
   * a cached copy. Default: the value given to `hangup()`, else `false`. With `false` the client gets 504, because
   * a success after the abort may be a fragment of aborted work.
   */
  fallback?: boolean;
}

/**
 * Makes a middleware for one route that sets this route's deadline, in ms from the request's arrival. It may be
 * longer or shorter than the app's; `false` means no deadline (the signal stays). An inherited budget remains the
 * upper limit. Works without `hangup()` too.
 *
 * A request that is already over when the guard runs does not start the route.
 * @throws {TypeError | RangeError} for a value or an option that is wrong.
 */
export function deadline(ms: DeadlineValue, options: DeadlineOptions = {}): RequestHandler {
  refuseForgottenCall('deadline', ms, "app.get('/report', deadline(60_000), report)");
  const read = deadlineReader('deadline(ms)', ms);
  const changes = checkOptions(options);
  return function deadlineGuard(req, res, next) {
    const existing = lifetimeOf(req);
    const lifetime = existing ?? newLifetime(req, res);
    if (existing === undefined) defineAccessors(req);
    // The request is over already: it is being answered elsewhere, or the client is gone. A late `next()` stops here.
    if (lifetime.reason !== undefined || lifetime.settled) return;
    lifetime.next = next;
    try {
      lifetime.terms = withTerms(lifetime.terms, changes);
      lifetime.setDeadline(read(req));
    } catch (error) {
      next(error);
      return;
    }
    if (lifetime.isOver()) lifetime.end(new DeadlineExceededError(lifetime.timeoutMs), 0);
    else next();
  };
}

function checkOptions(options: DeadlineOptions): TermChanges {
  checkNames('deadline()', options, ['until', 'fallback']);
  const until: unknown = options.until;
  if (until !== undefined && until !== 'start' && until !== 'finish') {
    throw wrongType('deadline(): option "until"', until, "'start' or 'finish'");
  }
  if (options.fallback !== undefined) boolean('deadline(): option "fallback"', options.fallback);
  return termChanges({ until: options.until, fallback: options.fallback });
}
