import { rememberUpstream } from '../../answer/upstream-info';
import type { UpstreamInfo } from '../../answer/fault';
import { adviceOn, isBodyCut, isStale } from './advice';
import { failureOf, infoOf, type CallFailure, type Observation } from './call-failure';
import type { ResetCounts } from '../learned/origin-log';

/** How recent an answer makes a refusal a restart. */
const RECENTLY_MS = 60_000;

/** Told of every call that failed. */
export type OnFailure = (error: unknown, failure: CallFailure, info: UpstreamInfo) => void;

/**
 * A call has failed: finds out what its error and its socket tell, learns from it, and notes it for the very error that
 * the client is about to hand to the app, so that `classifyError()` finds it.
 */
export function noteFailure(error: unknown, observation: Observation, onFailure: OnFailure): UpstreamInfo {
  const failure = failureOf(error, observation);
  learnFrom(failure);
  const info = infoOf(failure, adviceOn(failure));
  rememberUpstream(error, info);
  onFailure(error, failure, info);
  return info;
}

function learnFrom(failure: CallFailure): void {
  const { origin, verdict, trigger, at } = failure;
  origin.count(verdict);
  if (trigger === 'refused' && origin.lastAnswerAt !== undefined && at - origin.lastAnswerAt <= RECENTLY_MS)
    origin.closings.restartedAt(at);
  if (trigger !== 'rst' && trigger !== 'fin') return;
  origin.resets[socketKind(failure)]++;
  if (isBodyCut(failure)) origin.bodyCuts++;
  const { idleMs, waitedMs, phase } = failure;
  if (isStale(failure) && idleMs !== undefined) {
    origin.lostOnStale++;
    origin.closedIdle(idleMs, at);
  } else if (phase === 'waiting' && waitedMs !== undefined) origin.cutWaiting(waitedMs, at);
}

function socketKind({ reusedSocket }: CallFailure): keyof ResetCounts {
  if (reusedSocket === undefined) return 'unknown';
  return reusedSocket ? 'reused' : 'first';
}
