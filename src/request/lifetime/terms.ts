import { DEFAULTS } from '../../options';

/** What the deadline covers: until the response has started, or until it is complete. */
export type Until = 'start' | 'finish';

/**
 * The settings of a request besides its deadline. Requests share one such object until a middleware changes something:
 * four fields in each lifetime would cost every request memory, and their values are almost always the same.
 */
export interface Terms {
  readonly until: Until;
  /** How long after the abort the handler may still fail in its own way, in ms. */
  readonly graceMs: number;
  /** Whether a success that the handler sends within the grace reaches the client. */
  readonly fallback: boolean;
  /** An inherited budget in ms from the arrival, which no later deadline may exceed. */
  readonly capMs: number;
}

export const DEFAULT_TERMS: Terms = {
  until: 'start',
  graceMs: DEFAULTS.grace,
  fallback: DEFAULTS.fallback,
  capMs: Infinity,
};

/** The terms that the options of a middleware change; `undefined` for none. */
export type TermChanges = Partial<Terms> | undefined;

/** The options that are given, as changes of the terms. */
export function termChanges(options: {
  readonly [Name in keyof Terms]?: Terms[Name] | undefined;
}): TermChanges {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** The terms with these changes. */
export function withTerms(terms: Terms, changes: TermChanges): Terms {
  return changes === undefined ? terms : { ...terms, ...changes };
}
