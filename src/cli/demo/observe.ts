import { clientThatHangsUp } from '../../testing/client/client-that-hangs-up';
import type { ClientThatHangsUpOptions } from '../../testing/client/client-plan';
import type { Fault } from '../../testing/upstream/fault-choice';
import type { UpstreamAttempt } from '../../testing/upstream/upstream-log';
import type { Stack } from './stack';

/** How long the demo's client waits for an answer, in ms. */
const PATIENCE_MS = 2500;

/** What is asked of an app, and what the upstream does then. */
export interface Exchange {
  fault: Fault;
  request: ClientThatHangsUpOptions;
  /** The client leaves as soon as the upstream is at work. */
  leaves?: boolean;
}

/** What the upstream did after the client had left. */
export interface UpstreamWork {
  /** Whether the app closed its connection before the upstream had answered. */
  isStopped: boolean;
  /** From the client's leaving to the end of the work. */
  ms: number;
}

/** What was seen of one exchange. Times are ms. */
export interface Observation {
  /** `undefined` where no answer came. */
  status: number | undefined;
  /** Whether the answer came to its proper end. */
  complete: boolean;
  bodyBytes: number;
  /** How long the client was connected, or waited for the complete answer. */
  ms: number;
  /** Whether the client gave up, the connection being still open. */
  gaveUp: boolean;
  /** Where the client has left; otherwise `undefined`. */
  work: UpstreamWork | undefined;
  /** The error with which the app's process ended; `undefined` where it still runs. */
  crash: string | undefined;
}

/** Sends one request to the app and tells what both the client and the upstream saw. */
export async function observe(stack: Stack, { fault, request, leaves }: Exchange): Promise<Observation> {
  const url = await stack.url();
  stack.upstream.use(fault);
  const arrival = leaves ? nextArrival(stack) : undefined;
  const startedAt = performance.now();
  const departure = arrival === undefined ? {} : ({ leave: 'after-request', after: arrival } as const);
  const account = await clientThatHangsUp(url, { ...request, ...departure, patience: PATIENCE_MS });
  const { response, ended, ms } = account;
  const attempt = await arrival;
  if (attempt !== undefined) await stack.upstream.untilClosed(attempt);
  return {
    status: response?.status,
    complete: response?.complete ?? false,
    bodyBytes: response?.bodyBytes ?? 0,
    ms: response?.endedAt ?? ms.ended,
    gaveUp: ended === 'open' && response?.complete !== true,
    work: attempt && workAfter(startedAt + (ms.left ?? 0), attempt),
    crash: await stack.crash(),
  };
}

/** The first request that reaches the upstream from now on; those of earlier exchanges are passed over. */
async function nextArrival({ upstream }: Stack): Promise<UpstreamAttempt> {
  const last = upstream.attempts.at(-1)?.id ?? 0;
  let attempt = await upstream.nextAttempt();
  while (attempt.id <= last) attempt = await upstream.nextAttempt();
  return attempt;
}

function workAfter(leftAt: number, { state, closed, answeredAt }: UpstreamAttempt): UpstreamWork {
  const isStopped = state === 'cut-by-client';
  const endedAt = (isStopped ? closed?.at : answeredAt) ?? performance.now();
  return { isStopped, ms: Math.max(0, endedAt - leftAt) };
}
