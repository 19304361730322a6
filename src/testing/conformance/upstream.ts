import type { Fault } from '../upstream/fault-choice';
import type { UpstreamAttempt } from '../upstream/upstream-log';

/** What a run needs of the upstream that it breaks; both `faultyUpstream()` and `faultyTcp()` are one. */
export interface ConformanceUpstream {
  readonly url: string;
  readonly port: number;
  readonly attempts: readonly UpstreamAttempt[];
  /** How many connections are open. */
  readonly sockets: number;
  /** `tcp` where a request cannot be told from another, because what they are is not known. */
  readonly speaks: 'http' | 'tcp';
  use(fault: ((attempt: UpstreamAttempt) => Fault) | undefined): void;
  refuse(): Promise<void>;
  accept(): Promise<void>;
}
