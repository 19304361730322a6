import type { ConformanceCell } from '../cell';

/** Why a cell says nothing in which the app turned the client away, by the status of the answer. */
const WHY: Readonly<Record<number, string>> = {
  429: 'the app limits how often it may be asked (429): switch the limit off for the run',
  503: 'the app answered 503 without calling its upstream, as a circuit breaker does that is open: switch it off for the run',
};

/** What such an answer looks like to the rules, besides its status. */
const CONSEQUENCES = ['next-request', 'neighbour', 'one-after-another'];

/**
 * An app that limits its clients, or that has opened its circuit breaker, does not call its upstream. These cells have not met
 * their fault, so they are not seen. A 503 counts only if the app calls its upstream again later: a breaker that never closes
 * again is a mistake. So is one that opens upon a single failure: then the next request is refused in most of the cells in
 * which it would have to be served.
 */
export function withoutTurnedAway(cells: readonly ConformanceCell[]): ConformanceCell[] {
  const statuses = [429, 503].filter((status) => {
    const first = cells.findIndex((cell) => cell.fault !== 'refuse' && isUncalled(cell, status));
    const callsLater = cells.slice(first + 1).some(({ attempts }) => attempts.length > 0);
    return first >= 0 && (status === 429 || callsLater);
  });
  const excused = (status: number): ConformanceCell[] => {
    const after = cells.filter((cell) => isConsequence(cell, status));
    const served = cells.filter(({ verdict, client, status: got = 0 }) => {
      return verdict === 'right' && client === 'stays' && got >= 500;
    });
    return status === 429 || after.length * 2 <= served.length ? after : [];
  };
  return cells.map((cell) => {
    const status = statuses.find((it) => isUncalled(cell, it) || excused(it).includes(cell));
    return status === undefined ? cell : { ...cell, verdict: 'unseen', why: WHY[status] ?? '', causes: [] };
  });
}

/** Why a run is not whole in which the app turned clients away; `undefined` if it did not. */
export function whyTurnedAway(cells: readonly ConformanceCell[]): string | undefined {
  const away = cells.filter(({ verdict, why }) => verdict === 'unseen' && Object.values(WHY).includes(why));
  return away.length === 0
    ? undefined
    : `${away.length} of ${cells.length} cells were not seen: ${away[0]?.why}.`;
}

/** The first answer has this status, and the upstream was not called for it. */
function isUncalled(cell: ConformanceCell, status: number): boolean {
  return (
    cell.verdict === 'wrong' &&
    cell.status === status &&
    cell.attempts.length === 0 &&
    cell.causes.every((cause) => cause === `status-${status}` || CONSEQUENCES.includes(cause))
  );
}

/** The first answer was right, and a further one has this status. */
function isConsequence({ verdict, causes, why }: ConformanceCell, status: number): boolean {
  return (
    verdict === 'wrong' &&
    causes.every((cause) => CONSEQUENCES.includes(cause)) &&
    new RegExp(`\\b${status}\\b`).test(why)
  );
}
