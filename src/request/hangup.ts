import type { NextFunction, Request, RequestHandler } from 'express';
import { DeadlineExceededError } from '../errors';
import {
  boolean,
  checkNames,
  DEFAULTS,
  milliseconds,
  millisecondsOrFalse,
  refuseForgottenCall,
} from '../options';
import type { PropagateOptions } from '../propagate/options';
import type { Propagation } from '../propagate/propagation';
import { defineAccessors } from './lifetime/accessors';
import { newLifetime } from './attach-lifetime';
import { budgetReader, type BudgetReader, type InheritOptions } from './budget';
import { runInContext } from './context';
import type { Deadline } from './lifetime/deadline';
import { DeadlineQueue } from './lifetime/deadline-clock';
import { deadlineReader, type DeadlineReader, type DeadlineValue } from './deadline-value';
import type { Lifetime } from './lifetime/lifetime';
import { lifetimeOf } from './lifetime/lifetime-of';
import { DEFAULT_TERMS, termChanges, withTerms, type TermChanges, type Terms } from './lifetime/terms';
import { watchStall } from './response/stall';

// In this file, because the package's declarations include it. A file that no declaration refers to would be left out.
declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- how Express's types are extended
  namespace Express {
    interface Request {
      /** Aborts when the client leaves or the deadline passes; see `hangup()`. */
      readonly signal: AbortSignal;
      /** The request's deadline; see `hangup()`. */
      readonly deadline: Deadline;
    }
  }
}

/** The options of `hangup()`. All times are milliseconds. */
export interface HangupOptions {
  /**
   * Time from the request's arrival until the response must have started; `false` for no deadline, or a function of the
   * request that gives either. Default 25 000: below the 30 s and 60 s of common front ends.
   */
  deadline?: DeadlineValue;
  /**
   * When the deadline passes, the signal aborts at once. For `grace` ms after that the handler may still fail in
   * its own way: by its error, or by an error status that it sends. If it has done neither by then, 504 is sent.
   * Default 50.
   */
  grace?: number;
  /**
   * Whether a success (a status below 400) that the handler sends within the grace reaches the client, for example a
   * cached copy. Default `false`: the client gets 504, because the success may be a fragment of aborted work.
   */
  fallback?: boolean;
  /** The longest time without progress on a response that has started; then it is cut. Default `false`. */
  stall?: number | false;
  /** Take the caller's remaining time from a request header; it can only shorten the deadline. Default `false`. */
  inherit?: boolean | InheritOptions;
  /** Make `currentSignal()` and `currentDeadline()` work in code that has no `req`. Default `false`. */
  context?: boolean;
  /**
   * End calls together with the request, without passing `req.signal` to them. It works for calls that start in the
   * request's async context and are made by global fetch, undici, node:http or a library built on one of these. `true`
   * covers GET, HEAD and OPTIONS; an object says which calls. Includes `context`. Default `false`.
   */
  propagate?: boolean | PropagateOptions;
}

const NAMES: (keyof HangupOptions)[] = [
  'deadline',
  'grace',
  'fallback',
  'stall',
  'inherit',
  'context',
  'propagate',
];

interface Plan {
  readDeadline: DeadlineReader;
  /** Set if the deadline is the same for every request. */
  queue: DeadlineQueue | undefined;
  isDeadlineGiven: boolean;
  changes: TermChanges;
  /** The terms of a request that has none yet. */
  terms: Terms;
  stallMs: number | false;
  readBudget: BudgetReader | undefined;
  context: boolean;
  propagation: Propagation | undefined;
}

/**
 * Makes the middleware that gives every request an AbortSignal, `req.signal`, and a deadline, `req.deadline`. Mount it
 * first. A second `hangup()` on a router changes only what its options name.
 * @throws {TypeError | RangeError} for options that are unknown, of the wrong type or out of range.
 */
export function hangup(options: HangupOptions = {}): RequestHandler {
  refuseForgottenCall('hangup', options, 'app.use(hangup())');
  const plan = planOf(options);
  return function hangupMiddleware(req, res, next) {
    const existing = lifetimeOf(req);
    const lifetime = existing ?? newLifetime(req, res);
    if (existing === undefined) defineAccessors(req);
    lifetime.next = next;
    try {
      applyPlan(plan, lifetime, req, existing === undefined);
    } catch (error) {
      next(error);
      return;
    }
    proceed(lifetime, plan, next);
  };
}

function planOf(options: HangupOptions): Plan {
  checkNames('hangup()', options, NAMES);
  const {
    deadline = DEFAULTS.deadline,
    grace,
    fallback,
    stall = DEFAULTS.stall,
    inherit = DEFAULTS.inherit,
    context = DEFAULTS.context,
    propagate = DEFAULTS.propagate,
  } = options;
  const changes = termChanges({
    graceMs: grace === undefined ? undefined : milliseconds('hangup(): option "grace"', grace),
    fallback: fallback === undefined ? undefined : boolean('hangup(): option "fallback"', fallback),
  });
  return {
    readDeadline: deadlineReader('hangup(): option "deadline"', deadline),
    queue: typeof deadline === 'number' ? new DeadlineQueue(deadline) : undefined,
    isDeadlineGiven: options.deadline !== undefined,
    changes,
    terms: withTerms(DEFAULT_TERMS, changes),
    stallMs: millisecondsOrFalse('hangup(): option "stall"', stall),
    readBudget: budgetReader(inherit),
    context: boolean('hangup(): option "context"', context),
    propagation: propagate === false ? undefined : loadPropagation().propagation(propagate),
  };
}

/** Loaded on demand, so that an app without `propagate` does not pay for it. */
function loadPropagation(): typeof import('../propagate/propagation') {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import() would be asynchronous
  return require('../propagate/propagation') as typeof import('../propagate/propagation');
}

function applyPlan(plan: Plan, lifetime: Lifetime, req: Request, isFirst: boolean): void {
  lifetime.terms = isFirst ? plan.terms : withTerms(lifetime.terms, plan.changes);
  if (plan.readBudget) {
    const capMs = Math.min(lifetime.terms.capMs, plan.readBudget(req));
    lifetime.terms = withTerms(lifetime.terms, { capMs });
  }
  // A connection that changes its protocol (a WebSocket) stays open. So it gets no deadline here; a route may set one.
  if (isFirst && isUpgrade(req)) return;
  if (isFirst && plan.queue && lifetime.terms.capMs >= plan.queue.ms) lifetime.joinQueue(plan.queue);
  else if (isFirst || plan.isDeadlineGiven) lifetime.setDeadline(plan.readDeadline(req));
  else if (plan.readBudget) lifetime.setDeadline(lifetime.timeoutMs);
  if (plan.stallMs !== false) watchStall(lifetime, plan.stallMs);
}

/**
 * Node sets `req.upgrade` only if the server listens to `upgrade`. So a client's header alone cannot remove the
 * deadline.
 */
function isUpgrade(req: Request): boolean {
  return (req as { upgrade?: unknown }).upgrade === true;
}

function proceed(lifetime: Lifetime, { context, propagation }: Plan, next: NextFunction): void {
  // No time is left: the caller gets 504 at once, and the route is not started.
  if (lifetime.timeoutMs === 0) lifetime.end(new DeadlineExceededError(0), 0);
  else if (propagation) propagation.run(lifetime, next);
  else if (context) runInContext({ lifetime }, next);
  else next();
}
