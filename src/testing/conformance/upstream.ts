import type { UpstreamAttempt } from '../upstream/upstream-log';
import type { ConformanceFault } from './matrix';

/** What a run makes of an upstream. */
export interface RunFault {
  fault: Exclude<ConformanceFault, 'refuse'> | 'drip';
  ms?: number;
  until?: Promise<unknown>;
  /** HTTP only: in how many pieces the answer is sent, and what it is. */
  chunks?: number;
  body?: (attempt: UpstreamAttempt) => string;
}

/** What a run needs of the upstream that it breaks. Both `faultyUpstream()` and `faultyTcp()` have it. */
export interface ConformanceUpstream {
  readonly url: string;
  readonly port: number;
  readonly attempts: readonly UpstreamAttempt[];
  /** How many connections are open. */
  readonly sockets: number;
  /** `tcp` if the protocol is not known, so that one request cannot be told from another. */
  readonly speaks: 'http' | 'tcp';
  /** The version of HTTP that it speaks; default `http1`. */
  readonly protocol?: 'http1' | 'http2';
  use(fault: ((attempt: UpstreamAttempt) => RunFault) | undefined): void;
  refuse(): Promise<void>;
  accept(): Promise<void>;
}
