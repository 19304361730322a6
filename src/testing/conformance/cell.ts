import type { ClientAccount } from '../client/client-account';
import type { UpstreamAttempt } from '../upstream/upstream-log';
import type { ConformanceClient, ConformanceFault } from './matrix';

/** Where a cell is in the matrix. */
export interface CellPlace {
  fault: ConformanceFault;
  client: ConformanceClient;
  method: string;
  /** The route makes several calls, and they fail from this one on; left out where all of them do. */
  call?: number;
}

/** One of the cell's requests to the upstream, as it stood when the cell was judged. */
export interface SeenAttempt {
  /** `POST /orders`. */
  key: string;
  state: UpstreamAttempt['state'];
  bodyComplete: boolean;
  bodyBytes: number;
  /** The numbers of the kit's requests that stand in its path, its headers or its body. */
  numbers: readonly string[];
  /** Milliseconds from its arrival to its end; `undefined` where it was still running. */
  tookMs: number | undefined;
  /** Milliseconds from the client's leaving to its end, negative where it was over before. */
  afterLeavingMs: number | undefined;
}

/** What the route does when all is well: what the cells are compared with. */
export interface Baseline {
  status: number;
  bodyBytes: number;
  /** The calls to the upstream that one request makes; empty where the upstream is not ours to see. */
  calls: readonly Pick<SeenAttempt, 'key' | 'bodyBytes' | 'bodyComplete'>[];
  /** Whether the app closes a connection soon after an answer in any case. */
  closesSoon: boolean;
}

/** All that was seen of one cell, from outside of the app and, where the app runs in this process, from inside. */
export interface CellObservation {
  /** What the client can tell; `undefined` where it could not even connect. */
  account: ClientAccount | undefined;
  /** The number of the client's first request, `c000017`, and that of the one which follows on the connection. */
  numbers: readonly string[];
  /** Whether the client sent a second request on the connection, and so waits for a second response. */
  askedAgain: boolean;
  /** Bytes of the body that a client sends which leaves in the middle of it. */
  halfBytes: number;
  /** What the first request made the app ask of its upstream; `undefined` where the upstream is not ours to see. */
  attempts: readonly SeenAttempt[] | undefined;
  /** `127.0.0.1:41234` of the upstream, which is nobody's business. */
  upstreamHost: string | undefined;
  /** What would have ended the process, or did, in words. */
  crashes: readonly string[];
  /** The same route while all is well. */
  baseline: Baseline;
  /** What the client beside this one can tell, where there is one. */
  beside?: { account: ClientAccount | undefined; number: string };
  /** How many requests came one after another, and how many connections more than before are open at the upstream. */
  opened?: { requests: number; more: number; failed: number };
}

/** What was wrong with a cell. */
export interface Complaint {
  /** In words, with what was seen. */
  words: string;
  /** A short name for all complaints of this kind, the same for all cells. */
  cause: string;
  /** It cannot be the machine's fault: it counts even where it is not seen a second time. */
  certain?: boolean;
}

/** What a cell came to. */
export interface ConformanceCell extends CellPlace {
  /**
   * `unseen`: from where the run looked, this cell cannot be judged. `flaky`: it was wrong once, and right when it was played
   * again alone.
   */
  verdict: 'right' | 'wrong' | 'flaky' | 'unseen';
  /** In words: what was wrong, or why it could not be seen; what was right in short. */
  why: string;
  /** What was wrong, one name for each kind; empty where nothing was. */
  causes: readonly string[];
  /** The status that the client got, `undefined` for none. */
  status: number | undefined;
  /** Whether the response was whole. */
  complete: boolean | undefined;
  /** How the client's connection ended. */
  ended: ClientAccount['ended'] | undefined;
  /** Milliseconds until the client had its answer, or was gone. */
  ms: number | undefined;
  /** What became of each request to the upstream. */
  attempts: readonly UpstreamAttempt['state'][];
}
