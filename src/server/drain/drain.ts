import type { ServerHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import { ServerDrainingError } from '../../errors';
import { channels, type DrainEvent } from '../../events';
import { breakResponse } from '../../request/response/break-response';
import { detachedWork } from '../../request/detached';
import { closeListener } from '../traffic/close-listener';
import { IDLE_AFTER_MS, type Connection } from '../traffic/connection';
import type { Answer, Traffic, TrafficObserver } from '../traffic/traffic';
import { abortAnswer, abortSignal, closeAnswered } from './abort-answer';
import { announceClose } from './announce-close';
import { closeSession, sessionOf } from './close-session';
import { DrainTally, labelOf, wasCompleted, type DrainReport } from './drain-report';
import { endEventStream, isEventStream, isReconnecting, onceBegun } from './event-stream';
import { onceAccepted } from './upgrade';

/** When the phases of a drain begin, in milliseconds from its start. */
export interface DrainPlan {
  delay: number;
  timeout: number;
  force: number;
  /** Called when the listeners have closed, and again for each socket that leaves HTTP afterwards. */
  onClosing: (upgraded: readonly Duplex[]) => void;
}

/** When a connection may have become idle, all connections are checked, but no more often than this. */
const SWEEP_EVERY_MS = 50;

/** How long Node may take after `force` to emit `close` for the destroyed connections. */
const AFTERMATH_MS = 1000;

/** One drain of one or more servers, from the signal to the last closed connection. */
export class Drain implements TrafficObserver {
  readonly done: Promise<DrainReport>;

  private readonly startedAt = performance.now();
  private readonly tally = new DrainTally();
  private readonly aborted = new Set<Answer>();
  private readonly forced = new Set<Answer>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private phase: DrainEvent['phase'] = 'delay';
  private accepting = 0;
  private listening = 0;
  private closeListenersNow: (() => void)[] = [];
  private isSweepDue = false;
  private sweepTimer: NodeJS.Timeout | undefined = undefined;
  private resolve: (report: DrainReport) => void = () => undefined;

  constructor(
    private readonly traffics: readonly Traffic[],
    private readonly plan: DrainPlan,
  ) {
    this.done = new Promise((resolve) => (this.resolve = resolve));
    for (const traffic of traffics) this.observe(traffic);
    this.publish();
    const isListening = traffics.some(({ server }) => server.listening);
    this.after(plan.timeout, () => this.abortAll());
    this.after(plan.force, () => this.force());
    if (isListening && plan.delay > 0) this.after(plan.delay, () => this.close());
    else this.close();
  }

  /** Destroys the remaining connections now. */
  force(): void {
    if (this.phase === 'forcing' || this.phase === 'done') return;
    this.close();
    for (const closeNow of this.closeListenersNow) closeNow();
    this.enter('forcing');
    const reason = new ServerDrainingError();
    for (const answer of this.answers()) {
      this.forced.add(answer);
      // Before its signal aborts: a handler that then calls `res.end()` must not make a fragment look whole.
      if ('req' in answer && answer.headersSent && !answer.writableFinished)
        breakResponse(answer.req, answer);
      abortSignal(answer, reason);
    }
    for (const traffic of this.traffics) this.destroy(traffic);
    // A connection that was open before `drainable()` was called may be unknown here. The report must not wait for it.
    this.after(AFTERMATH_MS + this.elapsed(), () => this.finish());
  }

  connectionOpened(connection: Connection): void {
    if (this.phase === 'forcing') connection.socket.destroy();
    else this.sweepOnceIdle();
  }

  connectionClosed(): void {
    this.finishIfEmpty();
  }

  sessionOpened(session: ServerHttp2Session): void {
    // While the listener is open, a new session is served like any other. After that, it was in the accept queue.
    if (this.hasStoppedAccepting) closeSession(session, false);
  }

  answerBegun(answer: Answer, traffic: Traffic): void {
    this.announce(answer, traffic);
    // The app's own handlers must have run for the request before it is answered in their place.
    if (this.phase === 'aborting') setImmediate(() => this.abort(answer));
  }

  answerEnded(answer: Answer): void {
    this.tally.count(labelOf(answer), this.outcomeOf(answer));
    this.sweepOnceIdle();
  }

  upgraded(socket: Duplex): void {
    // First the app must have made its WebSocket from the socket.
    if (this.hasStoppedAccepting) setImmediate(() => this.tellClosing([socket]));
  }

  private observe(traffic: Traffic): void {
    traffic.observer = this;
    for (const answer of traffic.answers.keys()) this.announce(answer, traffic);
  }

  private announce(answer: Answer, traffic: Traffic): void {
    if (!answer.headersSent) onceBegun(answer, () => this.endIfStream(answer));
    if (!('req' in answer) || answer.req.httpVersionMajor >= 2) return;
    announceClose(answer, () => traffic.isLast(answer) && !this.isAboutToClose(traffic));
  }

  // A client that gets `Connection: close` comes back with a new connection. No connection should come while the
  // listener waits for a quiet moment to close, so responses do not have the header then.
  private isAboutToClose({ server }: Traffic): boolean {
    return this.phase === 'closing' && server.listening;
  }

  private close(): void {
    if (this.phase !== 'delay') return;
    this.enter('closing');
    this.accepting = this.traffics.length;
    this.listening = this.traffics.length;
    const stopped = (): void => {
      this.accepting -= 1;
      if (this.accepting === 0) this.stoppedAccepting();
    };
    const closed = (): void => {
      this.listening -= 1;
      this.finishIfEmpty();
    };
    this.closeListenersNow = this.traffics.map((traffic) => closeListener(traffic, { stopped, closed }));
    this.sweepSoon();
  }

  private get hasStoppedAccepting(): boolean {
    return this.phase !== 'delay' && this.accepting === 0;
  }

  // A client whose connection ends reconnects at once. Only from now on does its new connection reach another instance.
  private stoppedAccepting(): void {
    // Responses that have ended are left out: their client may have received the end and sent its next request.
    const unended = [...this.answers()].filter(({ writableEnded }) => !writableEnded);
    const answering = new Set(unended.map(sessionOf));
    for (const { sessions } of this.traffics)
      for (const session of sessions) closeSession(session, answering.has(session));
    this.tellClosing(this.traffics.flatMap(({ upgraded }) => [...upgraded.keys()]));
    for (const answer of this.answers()) this.endIfStream(answer);
  }

  // Called once more for sockets whose upgrade the app has not accepted yet: it may be asking a database first.
  private tellClosing(sockets: readonly Duplex[]): void {
    this.plan.onClosing(sockets);
    for (const { upgraded } of this.traffics) {
      for (const socket of sockets) {
        const upgrade = upgraded.get(socket);
        if (upgrade) onceAccepted(socket, upgrade, () => this.plan.onClosing([socket]));
      }
    }
  }

  private endIfStream(answer: Answer): void {
    if (!this.hasStoppedAccepting || this.aborted.has(answer) || answer.writableEnded) return;
    const isTime = this.phase === 'closing' ? isReconnecting(answer) : isEventStream(answer);
    if (!isTime || this.phase === 'forcing') return;
    this.aborted.add(answer);
    endEventStream(answer);
  }

  private abortAll(): void {
    if (this.phase !== 'closing') return;
    this.enter('aborting');
    for (const answer of this.answers()) this.abort(answer);
    this.sweepSoon();
    this.finishIfEmpty();
  }

  private abort(answer: Answer): void {
    if (!this.traffics.some(({ answers }) => answers.has(answer))) return;
    // The handler has ended the response, and a slow client is still reading it.
    if (answer.writableEnded) closeAnswered(answer);
    else if (isEventStream(answer)) this.endIfStream(answer);
    else if (abortAnswer(answer, new ServerDrainingError())) this.aborted.add(answer);
  }

  private destroy(traffic: Traffic): void {
    for (const [, { req }] of traffic.upgraded) this.tally.count(`${req.method ?? ''} (upgraded)`, 'forced');
    for (const session of traffic.sessions) session.destroy();
    for (const socket of [...traffic.upgraded.keys(), ...traffic.connections.keys()]) socket.destroy();
    if ('closeAllConnections' in traffic.server) traffic.server.closeAllConnections();
  }

  // Runs in the check phase, right after all data that has arrived was read. At that moment it is least likely that a
  // request is on its way into a connection that is being closed.
  private sweepSoon(): void {
    if (this.isSweepDue || this.phase === 'delay' || this.phase === 'done') return;
    this.isSweepDue = true;
    setImmediate(() => {
      this.isSweepDue = false;
      this.sweep();
    });
  }

  private sweep(): void {
    const isLate = this.phase === 'aborting';
    let next = Infinity;
    for (const traffic of this.traffics) next = Math.min(next, traffic.closeIdle(isLate));
    clearTimeout(this.sweepTimer);
    this.sweepTimer = undefined;
    if (next === 0) this.sweepSoon();
    else if (next !== Infinity) this.sweepIn(Math.max(next, SWEEP_EVERY_MS));
  }

  // A connection that has just been used is not idle yet. If a sweep is planned already, it will check this one, too.
  private sweepOnceIdle(): void {
    if (this.phase === 'aborting') this.sweepSoon();
    else if (this.phase === 'closing' && this.sweepTimer === undefined) this.sweepIn(IDLE_AFTER_MS);
  }

  private sweepIn(ms: number): void {
    this.sweepTimer = setTimeout(() => this.sweepSoon(), ms).unref();
  }

  private outcomeOf(answer: Answer): 'finished' | 'aborted' | 'forced' | 'gone' {
    if (this.forced.has(answer)) return 'forced';
    if (this.aborted.has(answer)) return 'aborted';
    return wasCompleted(answer) ? 'finished' : 'gone';
  }

  private *answers(): Generator<Answer> {
    for (const { answers } of this.traffics) yield* [...answers.keys()];
  }

  private finishIfEmpty(): void {
    if (this.phase === 'delay' || this.listening > 0) return;
    if (!this.traffics.every(({ connections }) => connections.size === 0)) return;
    // Until `timeout` the drain also waits for the work of `detached()`.
    if (this.phase === 'closing' && detachedWork.size > 0) detachedWork.onceIdle(() => this.finishIfEmpty());
    else this.finish();
  }

  private finish(): void {
    if (this.phase === 'done') return;
    this.enter('done');
    for (const timer of [...this.timers, this.sweepTimer]) clearTimeout(timer);
    for (const traffic of this.traffics) traffic.stop();
    this.resolve(this.tally.report(this.elapsed()));
  }

  private enter(phase: DrainEvent['phase']): void {
    this.phase = phase;
    this.publish();
  }

  private publish(): void {
    if (!channels.drain.hasSubscribers) return;
    const inFlight = this.traffics.reduce((sum, traffic) => sum + traffic.inFlight, 0);
    channels.drain.publish({ phase: this.phase, ms: this.elapsed(), inFlight });
  }

  private elapsed(): number {
    return performance.now() - this.startedAt;
  }

  // Unref'd: the listener or the connections that a phase waits for keep the process alive by themselves.
  private after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      run();
    }, ms - this.elapsed()).unref();
    this.timers.add(timer);
  }
}
