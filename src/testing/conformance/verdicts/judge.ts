import { ANSWER_RULES } from './answer-rules';
import type { CellObservation, CellPlace, Complaint, ConformanceCell } from '../cell';
import type { ConformancePlan } from '../plan';
import { UPSTREAM_RULES } from './upstream-rules';

/** What a verdict depends on besides what was seen. */
export type JudgeLimits = Pick<ConformancePlan, 'deadline' | 'margin' | 'expected' | 'background'>;

/** Looks at one cell from one side; gives what is wrong, or nothing. */
export type Rule = (place: CellPlace, seen: CellObservation, limits: JudgeLimits) => Complaint | undefined;

/** A verdict, and what it is worth. */
export interface Judgement {
  cell: ConformanceCell;
  /** It stands without being seen a second time. */
  isCertain: boolean;
  /** Whether the route has called its upstream while that was broken. */
  isMet: boolean;
}

/** Judges one cell by what was seen of it. Pure: the same observation always gets the same verdict. */
export function judge(place: CellPlace, seen: CellObservation, limits: JudgeLimits): Judgement {
  const wrong = [...ANSWER_RULES, ...UPSTREAM_RULES]
    .map((rule) => rule(place, seen, limits))
    .filter((complaint) => complaint !== undefined);
  const hidden = wrong.length === 0 || !isFaultMet(place, seen) ? whyUnseen(place, seen) : undefined;
  const complaints = hidden === undefined ? wrong : wrong.filter(({ certain }) => certain === true);
  const { account } = seen;
  const response = account?.response;
  const verdict = complaints.length > 0 ? 'wrong' : hidden === undefined ? 'right' : 'unseen';
  return {
    isCertain: complaints.some(({ certain }) => certain === true),
    isMet: isFaultMet(place, seen),
    cell: {
      ...place,
      verdict,
      why: complaints.map(({ words }) => words).join('; ') || (hidden ?? inShort(place, seen)),
      causes: complaints.map(({ cause }) => cause),
      status: response?.status,
      complete: response?.complete,
      ended: account?.ended,
      ms: account === undefined ? undefined : Math.round(response?.endedAt ?? account.ms.ended),
      attempts: seen.attempts?.map(({ state }) => state) ?? [],
    },
  };
}

/** A route that has answered well and called nobody has not met the fault. */
function isFaultMet({ fault, call = 1 }: CellPlace, { attempts }: CellObservation): boolean {
  return fault === 'ok' || fault === 'refuse' || attempts === undefined || attempts.length >= call;
}

function whyUnseen(place: CellPlace, seen: CellObservation): string | undefined {
  if (isFaultMet(place, seen)) return undefined;
  const { account } = seen;
  const status = account?.response?.status ?? 0;
  const isHalf = place.client === 'leaves-in-request' && seen.halfBytes > 0;
  const isFine = status >= 200 && status < 400 && account?.response?.complete === true;
  if (isFine) return 'the route answered without calling its upstream; for a cache put {n} into the route';
  return account?.ended === 'we-left' && !isHalf
    ? 'the route did not call its upstream before the client left'
    : undefined;
}

function inShort({ client }: CellPlace, { account, attempts }: CellObservation): string {
  const response = account?.response;
  if (response?.complete === true) return `${response.status}`;
  if (response && client === 'stays') return `${response.status}, then broken off`;
  const stopped = attempts?.some(({ state }) => state === 'cut-by-client') === true;
  return stopped ? 'the call was stopped' : 'nothing is left of it';
}
