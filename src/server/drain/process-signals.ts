import { constants } from 'node:os';

/** The actions for a signal. */
export interface SignalHandler {
  /** Begins to drain, or goes on draining; resolves when the drain is done. */
  begin: () => Promise<unknown>;
  /** Forces the drain to its end; resolves when the drain is done. */
  force: () => Promise<unknown>;
}

/**
 * A signal within this time after the first counts as the same signal. It is often delivered twice: to every
 * process of a group (a terminal's Ctrl-C, Heroku, systemd's default), and again by npm, a shell or the primary of
 * a cluster.
 */
const ONE_SIGNAL_MS = 1000;

/** How long the process may take to end by the signal that it has sent to itself. */
const DYING_MS = 200;

// One map for the process, because signals concern the process: one listener per signal for any number of servers.
const handlers = new Map<NodeJS.Signals, Set<SignalHandler>>();
const heardAt = new WeakMap<SignalHandler, number>();

/**
 * Calls `begin` on the first of the signals, and `force` on a signal that comes more than a second later. The
 * process then ends by that later signal. Gives the function that removes the handler. After the last handler is
 * removed, signals have Node's default effect again.
 */
export function onSignals(signals: readonly NodeJS.Signals[], handler: SignalHandler): () => void {
  for (const signal of signals.filter((name) => name in constants.signals)) {
    const others = handlers.get(signal);
    if (others) others.add(handler);
    else {
      handlers.set(signal, new Set([handler]));
      process.on(signal, answerSignal);
    }
  }
  return () => {
    // The drain may be over before the signal's second delivery, which would then end the process during `onDrained`.
    const wait = (heardAt.get(handler) ?? -Infinity) + ONE_SIGNAL_MS - performance.now();
    if (wait > 0) setTimeout(remove, wait, signals, handler).unref();
    else remove(signals, handler);
  };
}

function remove(signals: readonly NodeJS.Signals[], handler: SignalHandler): void {
  for (const signal of signals) {
    const rest = handlers.get(signal);
    rest?.delete(handler);
    if (rest?.size !== 0) continue;
    handlers.delete(signal);
    process.off(signal, answerSignal);
  }
}

function answerSignal(signal: NodeJS.Signals): void {
  const now = performance.now();
  const all = [...(handlers.get(signal) ?? [])];
  const first = all.filter((handler) => !heardAt.has(handler));
  for (const handler of first) heardAt.set(handler, now);
  if (first.length > 0) void Promise.all(first.map(({ begin }) => begin())).then(leaveCluster);
  const late = all.filter((handler) => now - (heardAt.get(handler) ?? now) >= ONE_SIGNAL_MS);
  if (late.length === 0) return;
  // So a third signal has Node's default effect: it ends the process at once.
  for (const handler of late) remove([...handlers.keys()], handler);
  void Promise.all(late.map(({ force }) => force())).then(() => endBySignal(signal));
}

/** Ends the process by the signal's default effect, so that its parent process sees that it did not end cleanly. */
function endBySignal(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // To the first process of a container the kernel delivers only signals that it listens to.
  setTimeout(() => process.exit(128 + constants.signals[signal]), DYING_MS);
}

/**
 * Makes the signals end the first process of a container while no drain handles them, as they end any other
 * process. That is so before a server listens, and after it has drained if something keeps the process alive.
 * Otherwise `docker stop` would wait for 10 s.
 */
export function endFirstProcess(signals: readonly NodeJS.Signals[]): void {
  for (const signal of signals.filter((name) => name in constants.signals)) {
    if (!process.listeners(signal).includes(endUnanswered)) process.on(signal, endUnanswered);
  }
}

function endUnanswered(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) endBySignal(signal);
}

// Otherwise the channel to the primary would keep the worker alive (also in PM2's cluster mode).
function leaveCluster(): void {
  if (!process.connected) return;
  const cluster = process.getBuiltinModule('node:cluster');
  if (cluster.isWorker) cluster.worker?.disconnect();
}

/** Signals that some platforms lack. A signal that this platform lacks is not listened to. */
const ELSEWHERE = new Set(['SIGBREAK', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH']);

/** Whether a name is that of a signal that a process can handle, on this platform or on another. */
export function isSignal(name: unknown): name is NodeJS.Signals {
  if (typeof name !== 'string' || name === 'SIGKILL' || name === 'SIGSTOP') return false;
  return name in constants.signals || ELSEWHERE.has(name);
}
