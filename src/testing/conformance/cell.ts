import type { ClientAccount } from '../client/client-account';
import type { ConformanceClient, ConformanceFault } from './plan';
import type { UpstreamAttempt } from '../upstream/upstream-log';

/** Where a cell is in the matrix. */
export interface CellPlace {
  fault: ConformanceFault;
  client: ConformanceClient;
  method: string;
}

/** One of the cell's requests to the upstream, as it stood when the cell was judged. */
export interface SeenAttempt {
  state: UpstreamAttempt['state'];
  bodyComplete: boolean;
  bodyBytes: number;
  /** Milliseconds from its arrival to its end; `undefined` where it was still running. */
  tookMs: number | undefined;
  /** Milliseconds from the client's leaving to its end, negative where it was over before. */
  afterLeavingMs: number | undefined;
}

/** All that was seen of one cell, from outside of the app and, where the app runs in this process, from inside. */
export interface CellObservation {
  /** What the client can tell; `undefined` where it could not even connect. */
  account: ClientAccount | undefined;
  /** Whether the client sent a second request on the connection, and so waits for a second response. */
  askedAgain: boolean;
  /** Bytes of the body that a client sends which leaves in the middle of it. */
  halfBytes: number;
  /** What the first request made the app ask of its upstream; `undefined` where the upstream is not ours to see. */
  attempts: readonly SeenAttempt[] | undefined;
  /** `127.0.0.1:41234` of the upstream, which is nobody's business. */
  upstreamHost: string | undefined;
  /** What would have ended the process, in words. */
  crashes: readonly string[];
}

/** What a cell came to. */
export interface ConformanceCell extends CellPlace {
  /** `unseen`: from where the run looked, this cell cannot be judged. */
  verdict: 'right' | 'wrong' | 'unseen';
  /** In words: what was wrong, or why it could not be seen; what was right in short. */
  why: string;
  /** The status that the client got, `undefined` for none. */
  status: number | undefined;
  /** Whether the response was whole. */
  complete: boolean | undefined;
  /** How the client's connection ended. */
  ended: ClientAccount['ended'] | undefined;
  /** Milliseconds that the client was connected. */
  ms: number | undefined;
  /** What became of each request to the upstream. */
  attempts: readonly UpstreamAttempt['state'][];
}
