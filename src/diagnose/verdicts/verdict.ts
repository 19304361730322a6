import type { UpstreamInfo } from '../../answer/fault';
import type { Trigger } from './trigger';

/** The phases of a call. */
export type Phase = NonNullable<UpstreamInfo['phase']>;

/**
 * Who ended a call, the first letter of a verdict. A capital letter stands for an action, a small letter for a
 * timer that ran out, as in HAProxy's termination states.
 */
export const WHO: Readonly<Record<Trigger, string>> = {
  fin: 'U',
  rst: 'U',
  refused: 'U',
  'parse-error': 'U',
  'tls-error': 'U',
  certificate: 'U',
  'name-not-found': 'N',
  resolver: 'N',
  unreachable: 'N',
  'connect-timeout': 'u',
  'attempt-timeout': 'u',
  'kernel-timeout': 'u',
  'headers-timeout': 'u',
  'body-timeout': 'u',
  'socket-timeout': 'u',
  'client-timeout': 'u',
  'signal-timeout': 'u',
  deadline: 'd',
  stall: 'd',
  abort: 'P',
  destroyed: 'P',
  draining: 'P',
  'client-closed': 'C',
};

/** Whether this process or its client ended a call, and not the upstream. */
export function isOwnDoing(trigger: Trigger | undefined): boolean {
  return trigger !== undefined && 'dPC'.includes(WHO[trigger]);
}

/** When, the second letter. */
export const WHEN: Readonly<Record<Phase, string>> = {
  queue: 'Q',
  dns: 'N',
  connect: 'C',
  tls: 'T',
  sending: 'S',
  waiting: 'W',
  body: 'B',
};

/**
 * The code of a verdict: who ended the call, in which phase, and whether on the first request of a socket (`1`) or
 * on a reused one (`r`). `UWr`: the upstream closed a reused socket while its answer was awaited. `-` stands for a
 * letter that is not known or does not apply.
 */
export function verdictOf(
  trigger: Trigger | undefined,
  phase: Phase | undefined,
  reusedSocket: boolean | undefined,
): string {
  const who = trigger === undefined ? '-' : WHO[trigger];
  const when = phase === undefined ? '-' : WHEN[phase];
  const socket = reusedSocket === undefined ? '-' : reusedSocket ? 'r' : '1';
  return `${who}${when}${socket}`;
}

/** Whether the upstream, a timer for it, or the way to it has ended a call: these count as its faults. */
export function isOfUpstream(verdict: string): boolean {
  return /^[UuN]/.test(verdict);
}
