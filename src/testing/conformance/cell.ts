import type { ClientAccount } from '../client/client-account';
import type { UpstreamAttempt } from '../upstream/upstream-log';
import type { ConformanceClient, ConformanceFault } from './matrix';

/** The place of a cell in the matrix. */
export interface CellPlace {
  fault: ConformanceFault;
  client: ConformanceClient;
  method: string;
  /** If the route makes several calls: the number of the first one that fails. Absent if all of them fail. */
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
  /** The calls to the upstream that one request makes; empty if the run cannot see the upstream. */
  calls: readonly Pick<SeenAttempt, 'key' | 'bodyBytes' | 'bodyComplete'>[];
  /** Whether the app closes a connection soon after an answer in any case. */
  closesSoon: boolean;
}

/** All that was seen of one cell, from outside of the app and, if the app runs in this process, from inside. */
export interface CellObservation {
  /** What the client has seen; `undefined` if it could not connect. */
  account: ClientAccount | undefined;
  /** The number of the client's first request, `c000017`, and the number of the next request on the connection. */
  numbers: readonly string[];
  /** Whether the client sent a second request on the connection, and so waits for a second response. */
  askedAgain: boolean;
  /** How many bytes of its body a client sends that leaves in the middle of it. */
  halfBytes: number;
  /** The requests that the app has sent to its upstream for the first request; `undefined` if the run cannot see the upstream. */
  attempts: readonly SeenAttempt[] | undefined;
  /** The upstream's address, `127.0.0.1:41234`. It must not appear in an answer. */
  upstreamHost: string | undefined;
  /** The errors that would have ended the process, or have ended it, in words. */
  crashes: readonly string[];
  /** The same route without a fault. */
  baseline: Baseline;
  /** What the second client has seen, in a cell with two clients. */
  beside?: { account: ClientAccount | undefined; number: string };
  /**
   * How many requests came one after another, how many connections more than before are open at the upstream, and the statuses
   * of the answers that were wrong (0 for none).
   */
  opened?: { requests: number; more: number; failed: readonly number[] };
}

/** What was wrong with a cell. */
export interface Complaint {
  /** In words, with what was seen. */
  words: string;
  /** A short name for all complaints of this kind, the same for all cells. */
  cause: string;
  /** A busy machine cannot cause it: it counts even if it is not seen a second time. */
  certain?: boolean;
}

/** The result of a cell. */
export interface ConformanceCell extends CellPlace {
  /**
   * `unseen`: the run cannot see enough to judge this cell. `flaky`: the cell was wrong once, and right when it was played
   * again alone.
   */
  verdict: 'right' | 'wrong' | 'flaky' | 'unseen';
  /** In words: what was wrong, or why it could not be judged; for a right cell, in short what was right. */
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
