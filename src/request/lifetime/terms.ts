import { DEFAULTS } from '../../options';

/** What the deadline covers: until the response has started, or until it is complete. */
export type Until = 'start' | 'finish';

/**
 * What holds for a request besides its deadline. Requests share one such object for as long as nobody asks for something
 * else: four fields in each lifetime would cost every request memory for what is almost always the same.
 */
export interface Terms {
  readonly until: Until;
  /** How long after the abort the handler may still say how it ends, in ms. */
  readonly graceMs: number;
  /** Whether a success is sent that comes within the grace. */
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

/** What the options of a middleware change of the terms; `undefined` for nothing. */
export type TermChanges = Partial<Terms> | undefined;

/** The changes that options ask for: those that are given. */
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
