import type { Fault } from '../../upstream/fault-choice';
import type { UpstreamAttempt } from '../../upstream/upstream-log';
import type { CellPlace, SeenAttempt } from '../cell';
import { ask, CELL_HEADER, type RunPlace } from './conversation';
import type { ConformanceAnswer, ConformancePlan } from '../plan';

/** Breaks the upstream as the cell's row says. `left` resolves when the client has left. */
export async function breakUpstream(
  place: CellPlace,
  run: RunPlace,
  left: Promise<void>,
  calls: number,
): Promise<void> {
  const { upstream, plan } = run;
  if (!upstream) return;
  if (place.fault === 'refuse') await upstream.refuse();
  else if (place.fault === 'stale') {
    // A connection is left in the app's pool that will be closed as soon as it is used again.
    useFrom(run, Math.max(calls, 1), 'stale');
    await ask(place.method, run).answered;
    useFrom(run, 1, 'ok');
  } else useFrom(run, place.call ?? 1, faultOf(place, plan, left));
}

/** Makes the upstream well again. */
export async function mendUpstream({ fault }: CellPlace, run: RunPlace): Promise<void> {
  useFrom(run, 1, 'ok');
  if (fault === 'refuse') await run.upstream?.accept();
}

/** From this call on they all get the fault; those before are answered. */
function useFrom({ upstream, plan }: RunPlace, call: number, fault: Fault): void {
  let count = 0;
  upstream?.use(() => answering(++count < call ? 'ok' : fault, plan.answer));
}

/** The fault with the answer that the route can read, or half of it. */
export function answering(fault: Fault, answer: ConformanceAnswer | undefined): Fault {
  const settings = typeof fault === 'string' ? { fault } : fault;
  if (answer !== undefined) return { ...settings, body: (attempt) => textOf(answer, attempt) };
  // The default answer tells whose it is; one that is cut must be long enough for that.
  const isWhole = settings.fault === 'ok' || settings.fault === 'slow' || settings.fault === 'stale';
  return isWhole ? { ...settings, body: defaultAnswer } : settings;
}

function defaultAnswer(attempt: UpstreamAttempt): string {
  const [to] = numbersIn(attempt);
  return JSON.stringify({ ok: true, ...(to !== undefined && { to }) });
}

function textOf(answer: ConformanceAnswer, attempt: UpstreamAttempt): string {
  const given = typeof answer === 'function' ? answer(attempt) : answer;
  return typeof given === 'string' ? given : JSON.stringify(given);
}

/** The numbers of the kit's own requests that an attempt carries on. */
function numbersIn({ headers, path, body }: UpstreamAttempt): string[] {
  const text = `${headers[CELL_HEADER] ?? ''} ${path} ${body.toString('latin1')}`;
  return [...new Set(text.match(/\bc\d{6}\b/g) ?? [])];
}

function faultOf({ fault, client }: CellPlace, { deadline }: ConformancePlan, left: Promise<void>): Fault {
  if (fault === 'refuse' || fault === 'stale') return 'ok';
  const leaves = client === 'leaves-fin' || client === 'leaves-rst';
  if (fault === 'slow') return { fault, ms: deadline * (client === 'stays' ? 0.25 : 0.6) };
  if (fault === 'hang' || fault === 'hang-body') return fault;
  if (fault === 'ok' && client === 'leaves-in-response') return { fault: 'drip', chunks: 4, ms: 10 };
  // What would be over before the client can leave happens right after it has left.
  if (leaves) return fault === 'ok' ? { fault: 'slow', until: left } : { fault, until: left };
  return fault;
}

/** An attempt as it stands now. `leftAt` is when the client left. */
export function seenAttempt(attempt: UpstreamAttempt, leftAt: number | undefined): SeenAttempt {
  const { method, path, state, bodyBytes, bodyComplete, at, answeredAt, closed } = attempt;
  const end = answeredAt ?? closed?.at;
  return {
    key: `${method} ${path.replace(/\bc\d{6}\b/g, '{n}')}`,
    state,
    bodyBytes,
    bodyComplete,
    numbers: numbersIn(attempt),
    tookMs: end === undefined ? undefined : end - at,
    afterLeavingMs: end === undefined || leftAt === undefined ? undefined : end - leftAt,
  };
}
