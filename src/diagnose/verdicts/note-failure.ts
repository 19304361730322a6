import { rememberUpstream } from '../../answer/upstream-info';
import type { UpstreamInfo } from '../../answer/fault';
import { RECENTLY_MS } from '../clock';
import type { ResetCounts } from '../learned/origin-log';
import { adviceOn, isBodyCut } from './advice';
import { failureOf, infoOf, type CallFailure, type Observation } from './call-failure';

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
  // A departure is counted where requests are: the upstream has no part in it.
  if (trigger !== 'client-closed') origin.count(verdict);
  if (trigger === 'refused' && origin.lastAnswerAt !== undefined && at - origin.lastAnswerAt <= RECENTLY_MS)
    origin.closings.refuses(at);
  if (trigger === 'rst' || trigger === 'fin') learnFromReset(failure);
  else if (trigger === 'kernel-timeout') learnFromSilence(failure);
}

function learnFromReset(failure: CallFailure): void {
  const { origin, bytesSent } = failure;
  origin.resets[socketKind(failure)]++;
  if (isBodyCut(failure)) origin.bodies.cut(bytesSent ?? 0);
  else learnFromLoss(failure);
}

function learnFromLoss({ origin, phase, at, idleMs, waitedMs, target }: CallFailure): void {
  if ((phase !== 'waiting' && phase !== 'sending') || waitedMs === undefined) return;
  origin.lost({ at, idleMs, waitedMs, target });
}

/** The kernel has waited for the other side's kernel: nobody worked on the request. */
function learnFromSilence({ origin, at, idleMs, target }: CallFailure): void {
  origin.losses.lost({ at, idleMs, waitedMs: 0, target });
}

function socketKind({ reusedSocket }: CallFailure): keyof ResetCounts {
  if (reusedSocket === undefined) return 'unknown';
  return reusedSocket ? 'reused' : 'first';
}
