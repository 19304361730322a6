/** Every fault of `faultyUpstream()`, in the order of the table in `docs/testing.md`. */
export const FAULT_NAMES = [
  'ok',
  'slow',
  'drip',
  'status',
  'unavailable',
  'hang',
  'hang-headers',
  'hang-body',
  'reset',
  'reset-headers',
  'reset-body',
  'reset-chunk',
  'close',
  'close-headers',
  'close-body',
  'close-chunk',
  'garbage',
  'bad-status',
  'bad-chunk',
  'header-overflow',
  'two-lengths',
  'long-length',
  'short-length',
  'raw',
  'idle-close',
  'stale',
  'goaway',
] as const;

/** The name of a fault. */
export type FaultName = (typeof FAULT_NAMES)[number];
