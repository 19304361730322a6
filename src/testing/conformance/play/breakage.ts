import type { RunFault } from '../upstream';
import type { UpstreamAttempt } from '../../upstream/upstream-log';
import type { CellPlace, SeenAttempt } from '../cell';
import { ask, CELL_HEADER, until, type RunPlace } from './conversation';
import type { ConformanceAnswer, ConformancePlan } from '../plan';

/** How long work in the background may take to begin, in ms. */
const BACKGROUND_MS = 200;

/** In how many steps a database greets, lets in and answers, at most. */
const TCP_STEPS = 8;

/** The upstream is well. */
export const WELL: RunFault = { fault: 'ok' };

/** What a cell waits for: that its client has left, and that the cell is over. */
export interface Moments {
  left: Promise<void>;
  over: Promise<void>;
}

/** Breaks the upstream as the cell's row says. */
export async function breakUpstream(
  place: CellPlace,
  run: RunPlace,
  { left, over }: Moments,
  calls: number,
): Promise<void> {
  const { upstream, plan } = run;
  if (!upstream) return;
  if (place.fault === 'refuse') await upstream.refuse();
  else if (place.fault === 'stale') {
    // A connection is left in the app's pool that will be closed as soon as it is used again.
    useFrom(run, Math.max(calls, 1), { fault: 'stale', until: over });
    const before = upstream.attempts.length;
    await ask(place.method, run).answered;
    if (plan.background) await settled(run, before);
    useFrom(run, 1, WELL);
  } else
    useFrom(run, place.call ?? 1, faultOf(place, plan, left, upstream.speaks === 'tcp' ? TCP_STEPS : calls));
}

/** Makes the upstream well again. */
export async function mendUpstream({ fault }: CellPlace, run: RunPlace): Promise<void> {
  useFrom(run, 1, WELL);
  if (fault === 'refuse') await run.upstream?.accept();
}

/** Waits until calls that an app makes after its answer have come and are over, or do not come. */
export async function settled({ upstream }: RunPlace, before: number): Promise<void> {
  const attempts = upstream?.attempts ?? [];
  await until(() => attempts.length > before, performance.now() + BACKGROUND_MS);
  await until(() => attempts.every(({ state }) => state !== 'running'), performance.now() + BACKGROUND_MS);
}

/** From this call on they all get the fault; those before are answered. */
function useFrom({ upstream, plan }: RunPlace, call: number, fault: RunFault): void {
  let count = 0;
  upstream?.use(() => answering(++count < call ? WELL : fault, plan.answer));
}

/** The fault with the answer that the route can read, or half of it. */
export function answering(settings: RunFault, answer: ConformanceAnswer | undefined): RunFault {
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
  const given =
    typeof answer === 'function'
      ? (answer as (attempt: UpstreamAttempt) => string | object)(attempt)
      : answer;
  return typeof given === 'string' ? given : JSON.stringify(given);
}

/** The numbers of the kit's own requests that an attempt carries on. */
function numbersIn({ headers, path, body }: UpstreamAttempt): string[] {
  const text = `${headers[CELL_HEADER] ?? ''} ${path} ${body.toString('latin1')}`;
  return [...new Set(text.match(/\bc\d{6}\b/g) ?? [])];
}

function faultOf(
  { fault, client }: CellPlace,
  { deadline }: ConformancePlan,
  left: Promise<void>,
  calls: number,
): RunFault {
  if (fault === 'refuse' || fault === 'stale') return WELL;
  const leaves = client === 'leaves-fin' || client === 'leaves-rst';
  // All calls of a request together are slow, and still in time.
  if (fault === 'slow')
    return {
      fault,
      ms:
        (deadline * (client === 'stays' || client === 'leaves-in-response' ? 0.25 : 0.6)) /
        Math.max(calls, 1),
    };
  if (fault === 'hang' || fault === 'hang-body') return { fault };
  if (fault === 'ok' && client === 'leaves-in-response') return { fault: 'drip', chunks: 4, ms: 10 };
  // What would be over before the client can leave happens right after it has left.
  if (leaves) return fault === 'ok' ? { fault: 'slow', until: left } : { fault, until: left };
  return { fault };
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
