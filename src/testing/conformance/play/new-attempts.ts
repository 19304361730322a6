import type { UpstreamAttempt } from '../../upstream/upstream-log';
import { CELL_HEADER, type RunPlace } from './conversation';

/** What comes to the upstream from some moment on. */
export interface NewAttempts {
  /** Those of this request: without those that say they belong to another one. */
  mine: () => UpstreamAttempt[];
  /** What comes from now on is somebody else's. */
  stop: () => void;
}

/** The attempts that come from now on. `number` is that of the request which is about to be sent. */
export function newAttempts({ upstream }: RunPlace, number: string): NewAttempts {
  const attempts = upstream?.attempts ?? [];
  const before = attempts.length;
  let end = Infinity;
  return {
    mine: () =>
      attempts.slice(before, end).filter(({ headers }) => (headers[CELL_HEADER] ?? number) === number),
    stop: () => {
      end = Math.min(end, attempts.length);
    },
  };
}
