import { classifyError } from '../../answer/classify/classify-error';
import { errorChain } from '../../answer/classify/error-chain';
import type { UpstreamInfo } from '../../answer/fault';
import { requestOf, type FaultEvent } from '../../events';
import { privateField } from '../../private-field';
import { routeOf } from '../../request/route/route';
import type { AnsweredCall } from '../calls/watched';
import { targetHash } from '../calls/target-hash';
import { now } from '../clock';
import type { FaultGroup, FaultReport } from '../report';
import { adviceOn } from '../verdicts/advice';
import type { CallFailure } from '../verdicts/call-failure';
import { FaultGroups } from './fault-groups';
import { knownMethod } from './known-method';
import { idsOf, type RequestIds } from './request-ids';
import type { RequestTicket } from './request-ticket';

/** How many faults are kept one by one. */
const KEPT = 50;
/** A failed call that is sent again is sent within this time. */
const RETRY_WITHIN_MS = 30_000;

interface Row {
  fault: FaultReport;
  /** What the advice was given on: what is learned afterwards may change it. */
  failure: CallFailure | undefined;
  readonly noticedAt: number;
  readonly ticket: RequestTicket | undefined;
  group: string;
  isSaved: boolean;
  /** `onFault` has been told of it. */
  isTold: boolean;
}

/** How long a failed call waits for an error handler's answer, before it is reported without one. */
const ANSWER_WITHIN_MS = 5000;

/** Called with a fault when it is complete, or when nothing more is likely to become known of it. */
export type OnFault = (fault: FaultReport) => void;

/** The last faults: calls that failed and what was answered for them, joined where both are known. */
export class RecentFaults {
  private rows: Row[] = [];
  private readonly byError = privateField<Row>();
  private readonly groups = new FaultGroups();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly onFault: OnFault) {}

  /** A call has failed. */
  failed(error: unknown, failure: CallFailure, upstream: UpstreamInfo): void {
    // A client that leaves is not an upstream's fault, and it happens all the time.
    if (failure.trigger === 'client-closed') return;
    const ticket = failure.start?.ticket;
    // A deadline is answered first. Only then are the calls aborted that the handler was waiting for.
    const answered = this.rowOf(error, ({ fault }) => fault.upstream === undefined);
    if (answered) {
      answered.failure = failure;
      this.change(answered, { upstream });
      return;
    }
    const { served } = ticket ?? {};
    const known = {
      code: classifyError(error)?.code,
      upstream,
      ...(served && {
        method: knownMethod(served.req.method),
        route: routeOf(served.req),
        ids: idsOf(served.req),
      }),
    };
    this.add(error, known, failure);
  }

  /** `gatewayErrorHandler()` deals with an error. */
  answered(event: FaultEvent): void {
    const { code, status, outcome, route, ms, upstream, error } = event;
    if (code === 'CLIENT_CLOSED_REQUEST') return;
    const req = requestOf(event);
    // An error object that is thrown again and again is a new fault each time.
    const row =
      this.rowOf(error, ({ fault }) => fault.outcome === undefined) ??
      this.rowOfDeadline(event) ??
      this.add(error, {}, undefined);
    const attempts = this.takeEarlierTries(row);
    const known = row.fault.upstream ?? upstream;
    this.change(row, {
      ...{ code, status, outcome, method: knownMethod(event.method), route, ms: Math.round(ms) },
      ...(known && { upstream: { ...upstream, ...known } }),
      ...(attempts > 1 && { attempts }),
      ...(req && { ids: idsOf(req) }),
    });
    row.isTold = true;
    this.onFault(this.shown(row));
  }

  /** Whether a failed call may yet be sent again. */
  get isWaiting(): boolean {
    const last = this.rows.at(-1);
    return last !== undefined && now() - last.noticedAt < RETRY_WITHIN_MS;
  }

  /** A call was answered: if it is a failed one that was sent again, nothing is lost, and that was no fault. */
  saved({ origin, target, start }: AnsweredCall): void {
    const hash = targetHash(target);
    const since = now() - RETRY_WITHIN_MS;
    for (const row of this.rows) {
      const { failure, ticket, fault, noticedAt } = row;
      if (failure?.exactTarget !== hash || failure.origin !== origin || ticket !== start?.ticket) continue;
      if (fault.outcome !== undefined || noticedAt < since) continue;
      row.isSaved = true;
      origin.savedByRetry++;
      this.groups.remove(row.group);
    }
    this.rows = this.rows.filter(({ isSaved }) => !isSaved);
  }

  report(): FaultReport[] {
    return this.rows.map((row) => this.shown(row)).reverse();
  }

  grouped(): FaultGroup[] {
    return this.groups.report((fault) => {
      const row = this.rows.find((known) => known.fault === fault);
      return row ? this.shown(row) : fault;
    });
  }

  /** Faults that are in none of the groups. */
  get ungrouped(): number {
    return this.groups.leftOut;
  }

  /** Reports the failed calls that no error handler has answered and that are not sent again any more. */
  tellUnanswered(youngestMs = 0): void {
    for (const row of this.rows) {
      if (row.isTold || now() - row.noticedAt < youngestMs) continue;
      row.isTold = true;
      this.onFault(this.shown(row));
    }
  }

  private awaitAnswer(): void {
    if (this.rows.length === 0) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.tellUnanswered(ANSWER_WITHIN_MS);
      if (this.rows.some(({ isTold }) => !isTold)) this.awaitAnswer();
    }, ANSWER_WITHIN_MS).unref();
  }

  private rowOf(error: unknown, isWanted: (row: Row) => boolean): Row | undefined {
    for (const facts of errorChain(error)) {
      const row = this.byError.get(facts.error);
      if (row && !row.isSaved && isWanted(row)) return row;
    }
    return undefined;
  }

  /** The row of the call that a deadline has ended. Its client has rejected with an error of its own. */
  private rowOfDeadline(event: FaultEvent): Row | undefined {
    const req = requestOf(event);
    if (req === undefined || !['DEADLINE_EXCEEDED', 'RESPONSE_STALLED'].includes(event.code))
      return undefined;
    return this.rows.findLast(
      ({ fault, failure, ticket }) =>
        fault.outcome === undefined && failure?.verdict.startsWith('d') && ticket?.served?.req === req,
    );
  }

  /** Earlier failures for the same request and the same target were attempts of the same call. */
  private takeEarlierTries({ failure, ticket }: Row): number {
    if (failure === undefined || ticket === undefined) return 1;
    const isEarlier = (row: Row): boolean =>
      row.failure !== failure &&
      row.fault.outcome === undefined &&
      row.ticket === ticket &&
      row.failure?.exactTarget === failure.exactTarget &&
      row.failure.origin === failure.origin;
    const earlier = this.rows.filter(isEarlier);
    for (const row of earlier) this.groups.remove(row.group);
    this.rows = this.rows.filter((row) => !earlier.includes(row));
    return earlier.length + 1;
  }

  private add(error: unknown, known: Partial<FaultReport>, failure: CallFailure | undefined): Row {
    const fault = { ...NOTHING_KNOWN, at: Date.now(), ...known };
    const row: Row = {
      fault,
      failure,
      noticedAt: now(),
      ticket: failure?.start?.ticket,
      group: this.groups.add(fault),
      isSaved: false,
      isTold: false,
    };
    if (typeof error === 'object' && error !== null) this.byError.set(error, row);
    this.rows.push(row);
    if (this.rows.length > KEPT) this.dropOldest();
    this.awaitAnswer();
    return row;
  }

  private dropOldest(): void {
    const oldest = this.rows.shift();
    if (oldest && !oldest.isTold) this.onFault(this.shown(oldest));
  }

  private change(row: Row, known: Partial<FaultReport>): void {
    this.groups.remove(row.group);
    row.fault = { ...row.fault, ...known };
    row.group = this.groups.add(row.fault);
  }

  /** A restart is often known only after its first victims: the advice is looked for again, on what is known by now. */
  private shown({ failure, fault }: Row): FaultReport {
    if (!failure || !fault.upstream) return fault;
    const upstream = { ...fault.upstream };
    delete upstream.advice;
    delete upstream.evidence;
    return { ...fault, upstream: { ...upstream, ...adviceOn(failure) } };
  }
}

const NO_IDS: RequestIds = { traceId: undefined, requestId: undefined };

const NOTHING_KNOWN: Omit<FaultReport, 'at'> = {
  code: undefined,
  method: undefined,
  route: undefined,
  ms: undefined,
  status: undefined,
  outcome: undefined,
  attempts: 1,
  ids: NO_IDS,
  upstream: undefined,
};
