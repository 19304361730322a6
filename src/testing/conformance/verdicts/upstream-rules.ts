import type { CellObservation, CellPlace, SeenAttempt } from '../cell';
import type { Complaint } from '../cell';
import type { JudgeLimits, Rule } from './judge';
import { hasBody } from '../matrix';

/** Nobody works for a client that has gone. */
const stopsTheCall: Rule = (place, seen, limits) => {
  if (limits.background) return undefined;
  const { attempts = [] } = seen;
  for (const attempt of attempts) {
    const complaint = goesOn(place, seen, attempt, limits);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
};

function goesOn(
  { fault, client }: CellPlace,
  { account }: CellObservation,
  { state, tookMs, afterLeavingMs }: SeenAttempt,
  { deadline, expected }: JudgeLimits,
): Complaint | undefined {
  if (state === 'running') return { cause: 'never-ended', words: 'the call to the upstream was never ended' };
  const answered = account?.response?.complete === true || account?.response?.status === 504;
  if (!client.startsWith('leaves-') || expected[fault].waits !== true || answered) return undefined;
  // Over before the client had left, or the client had no time to leave.
  if (afterLeavingMs === undefined || afterLeavingMs <= 0) return undefined;
  if (state === 'answered')
    return { cause: 'worked-on', words: 'the upstream had to answer for a client that was gone' };
  // The deadline is not what must end it. A tenth of it is for a client that left when it had nearly passed.
  return tookMs !== undefined && tookMs >= deadline * 0.9 && afterLeavingMs > deadline * 0.1
    ? {
        cause: 'deadline-only',
        words: 'the call to the upstream was ended by the deadline only, not when the client left',
      }
    : undefined;
}

/** A request that may change something is not sent twice. */
const sendsOnce: Rule = ({ client }, { attempts = [], baseline }) => {
  if (client === 'two-at-once' || client === 'one-after-another') return undefined;
  for (const [key, count] of countsOf(attempts.filter(({ key }) => /^(POST|PATCH) /.test(key)))) {
    const usual = countsOf(baseline.calls).get(key) ?? 1;
    if (count > usual) {
      const often = usual === 1 ? '' : `, ${usual} where all is well`;
      return { cause: 'sent-twice', words: `the ${key} was sent to the upstream ${count} times${often}` };
    }
  }
  return undefined;
};

function countsOf(calls: readonly { key: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { key } of calls) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** Half of an upload is not passed off as the whole. */
const passesNoHalfBody: Rule = ({ client, method }, { attempts = [], halfBytes, baseline }) => {
  if (!hasBody(method)) return undefined;
  const cause = 'half-body';
  const whole = attempts.filter(({ bodyComplete }) => bodyComplete);
  if (client === 'leaves-in-request' && whole.some(({ bodyBytes }) => bodyBytes === halfBytes))
    return { cause, words: 'the upstream was given half of the body as if it were the whole' };
  for (const { key, bodyBytes } of whole) {
    const usual = baseline.calls.filter((call) => call.key === key && call.bodyComplete);
    const least = Math.min(...usual.map((call) => call.bodyBytes));
    if (usual.length > 0 && bodyBytes < least)
      return {
        cause,
        words: `the upstream was given ${bodyBytes} of ${least} bytes of the ${key} as if they were all`,
      };
  }
  return undefined;
};

/** Of two clients at once, each one's request reaches the upstream. */
const asksForEach: Rule = ({ client, fault, method }, { attempts = [], numbers, beside }) => {
  if (client !== 'two-at-once' || fault !== 'ok' || beside === undefined || !hasBody(method))
    return undefined;
  const has = (number: string | undefined): boolean =>
    attempts.some((attempt) => number !== undefined && attempt.numbers.includes(number));
  const [one, other] = [has(numbers[0]), has(beside.number)];
  const served = beside.account?.response?.complete === true;
  return one === other || !served
    ? undefined
    : {
        cause: 'others-body',
        words: "the upstream got one client's request twice, and that of the client beside it never",
      };
};

/** Requests that follow each other need no more connections than one alone. */
const reusesConnections: Rule = (_place, { opened }) => {
  if (opened === undefined) return undefined;
  const { requests, more, failed } = opened;
  if (failed.length > 0) {
    const statuses = [...new Set(failed)].filter((status) => status > 0).join(', ');
    const words = `of ${requests} requests one after another ${failed.length} were not served`;
    return { cause: 'one-after-another', words: statuses === '' ? words : `${words} (${statuses})` };
  }
  return more >= requests / 2
    ? {
        cause: 'connections-left',
        words: `${requests} requests, one after another, left ${more} more connections open at the upstream`,
      }
    : undefined;
};

/** What concerns the calls to the upstream. */
export const UPSTREAM_RULES: readonly Rule[] = [
  ...[stopsTheCall, sendsOnce, passesNoHalfBody, asksForEach, reusesConnections],
];
