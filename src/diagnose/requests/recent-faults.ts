import { classifyError } from '../../answer/classify/classify-error';
import { errorChain } from '../../answer/classify/error-chain';
import type { UpstreamInfo } from '../../answer/fault';
import type { FaultEvent } from '../../events';
import { adviceOn } from '../verdicts/advice';
import type { CallFailure } from '../verdicts/call-failure';
import type { FaultReport } from '../report';

/** How many faults are kept. */
const KEPT = 50;

interface Row extends FaultReport {
  /** What the advice was given on: what is learned afterwards may change it. */
  failure: CallFailure | undefined;
}

/** The last faults: calls that failed and what was answered for them, joined where both are known. */
export class RecentFaults {
  private readonly rows: Row[] = [];
  private readonly byError = new WeakMap<object, Row>();

  /** A call has failed. */
  failed(error: unknown, failure: CallFailure, upstream: UpstreamInfo): void {
    // A client that leaves is no fault of an upstream, and happens all the time.
    if (failure.trigger === 'client-closed') return;
    // A deadline is answered for first, and only then gives up the calls that the handler was waiting for.
    const answered = this.rowOf(error, (row) => row.upstream === undefined);
    if (answered) Object.assign(answered, { upstream, failure });
    else this.add(error, { code: classifyError(error)?.code, upstream }, failure);
  }

  /** `gatewayErrorHandler()` deals with an error. */
  answered({ code, status, outcome, method, route, ms, upstream, error }: FaultEvent): void {
    if (code === 'CLIENT_CLOSED_REQUEST') return;
    // An error object that is thrown again and again is a new fault each time.
    const row = this.rowOf(error, (known) => known.outcome === undefined) ?? this.add(error, {}, undefined);
    Object.assign(row, { code, status, outcome, method, route, ms: Math.round(ms) });
    if (upstream) row.upstream = { ...upstream, ...row.upstream };
  }

  report(): FaultReport[] {
    return this.rows.map(withHindsight).reverse();
  }

  private rowOf(error: unknown, isWanted: (row: Row) => boolean): Row | undefined {
    for (const facts of errorChain(error)) {
      const row = this.byError.get(facts.error);
      if (row && isWanted(row)) return row;
    }
    return undefined;
  }

  private add(error: unknown, known: Partial<FaultReport>, failure: CallFailure | undefined): Row {
    const row: Row = {
      at: Date.now(),
      code: undefined,
      method: undefined,
      route: undefined,
      ms: undefined,
      status: undefined,
      outcome: undefined,
      upstream: undefined,
      ...known,
      failure,
    };
    if (typeof error === 'object' && error !== null) this.byError.set(error, row);
    this.rows.push(row);
    if (this.rows.length > KEPT) this.rows.shift();
    return row;
  }
}

/** A restart is often known only after its first victims: the advice is looked for again, on what is known by now. */
function withHindsight({ failure, ...row }: Row): FaultReport {
  const advice = failure && adviceOn(failure);
  if (!row.upstream || advice === undefined || advice === row.upstream.advice) return row;
  return { ...row, upstream: { ...row.upstream, advice } };
}
