import type { ConformanceCell } from '../cell';

/** Why a cell says nothing in which the app limits its clients. */
const LIMITED = 'the app limits how often it may be asked (429): switch the limit off for the run';

/** Why a cell says nothing that was right once the app had served other requests. */
const OPEN_BREAKER =
  'the app answered 5xx without calling its upstream, as a circuit breaker does that is open: switch it off for the run';

/** What such an answer looks like to the rules, besides its status. */
const CONSEQUENCES = ['next-request', 'neighbour', 'one-after-another'];

/**
 * Whether the app has refused a request by an error of its own, without calling its upstream. Where connections are refused
 * nobody sees whether it has tried to call.
 */
export function hasRefused(cell: ConformanceCell): boolean {
  return cell.fault !== 'refuse' && isRefusal(cell.status) && isUncalled(cell);
}

/** Whether a cell may be wrong only because the app had closed itself by a circuit breaker, before it or amid it. */
export function isPerhapsRefused(cell: ConformanceCell): boolean {
  return (isRefusal(cell.status) && isUncalled(cell)) || isConsequence(cell, '5(?!04)\\d\\d');
}

/** A 504 is none: an app that has no time to call its upstream before its deadline passes is on a busy machine. */
function isRefusal(status = 0): boolean {
  return status >= 500 && status !== 504;
}

/** The cell of an app whose circuit breaker was open, and which was right when it was closed: its own fault it has not met. */
export function refusedCell(cell: ConformanceCell): ConformanceCell {
  return { ...cell, verdict: 'unseen', why: OPEN_BREAKER, causes: [] };
}

/**
 * An app that limits its clients does not call its upstream. These cells have not met their fault, so they are not seen. To
 * play them again is no use: every request counts against the limit.
 */
export function withoutLimited(cells: readonly ConformanceCell[]): ConformanceCell[] {
  const isLimited = (cell: ConformanceCell): boolean => cell.status === 429 && isUncalled(cell);
  if (!cells.some((cell) => cell.fault !== 'refuse' && isLimited(cell))) return [...cells];
  return cells.map((cell) =>
    isLimited(cell) || isConsequence(cell, '429')
      ? { ...cell, verdict: 'unseen', why: LIMITED, causes: [] }
      : cell,
  );
}

/** Why a run is not whole in which the app turned clients away; `undefined` if it did not. */
export function whyTurnedAway(cells: readonly ConformanceCell[]): string | undefined {
  const away = cells.filter(
    ({ verdict, why }) => verdict === 'unseen' && (why === LIMITED || why === OPEN_BREAKER),
  );
  return away.length === 0
    ? undefined
    : `${away.length} of ${cells.length} cells were not seen: ${away[0]?.why}.`;
}

/** The first answer was an error, and the call that was to fail has not come to the upstream. */
function isUncalled({ verdict, causes, status, attempts, call = 1 }: ConformanceCell): boolean {
  return (
    verdict === 'wrong' &&
    attempts.length < call &&
    causes.every((cause) => cause === `status-${status}` || CONSEQUENCES.includes(cause))
  );
}

/** The first answer was right, and a further one has this status. */
function isConsequence({ verdict, causes, why }: ConformanceCell, status: string): boolean {
  return (
    verdict === 'wrong' &&
    causes.every((cause) => CONSEQUENCES.includes(cause)) &&
    new RegExp(`\\b${status}\\b`).test(why)
  );
}
