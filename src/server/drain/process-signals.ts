import { constants } from 'node:os';

/** What answers a signal. */
export interface SignalHandler {
  /** Begins to drain, or goes on draining; resolves when that is done. */
  begin: () => Promise<unknown>;
  /** Ends the drain at once; resolves when that is done. */
  force: () => Promise<unknown>;
}

/**
 * Within this time after the first, a signal is the same signal once more. A process group delivers it to everybody in it
 * (a terminal's Ctrl-C, Heroku, systemd's default), and npm, a shell or the primary of a cluster hand it on as well.
 */
const ONE_SIGNAL_MS = 1000;

/** How long the process may take to die of the signal that it has sent to itself. */
const DYING_MS = 200;

// Process-wide, because signals are: one listener per signal, whatever the number of servers.
const handlers = new Map<NodeJS.Signals, Set<SignalHandler>>();
const heardAt = new WeakMap<SignalHandler, number>();

/**
 * Calls `begin` on the first of the signals and `force` on one that comes more than a second later; the process then ends
 * by that signal. Gives the function that ends it; with the last handler Node's default is back.
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
    // A drain may be over before the signal's second delivery, which would end the process in the middle of `onDrained`.
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
  // A third signal then has Node's default effect: it ends the process at once.
  for (const handler of late) remove([...handlers.keys()], handler);
  void Promise.all(late.map(({ force }) => force())).then(() => endBySignal(signal));
}

/** Ends the process as if nobody had answered the signal: whoever started it sees that it was not a clean end. */
function endBySignal(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // To the first process of a container the kernel delivers no signal that it does not answer.
  setTimeout(() => process.exit(128 + constants.signals[signal]), DYING_MS);
}

/**
 * Makes the signals end the first process of a container while nothing answers them, as they end any other: before a
 * server listens, and after it has drained when something still holds the process. Otherwise `docker stop` waits for 10 s.
 */
export function endFirstProcess(signals: readonly NodeJS.Signals[]): void {
  for (const signal of signals.filter((name) => name in constants.signals)) {
    if (!process.listeners(signal).includes(endUnanswered)) process.on(signal, endUnanswered);
  }
}

function endUnanswered(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) endBySignal(signal);
}

// The channel to its primary keeps a worker alive when nothing else does (the same under PM2's cluster mode).
function leaveCluster(): void {
  if (!process.connected) return;
  const cluster = process.getBuiltinModule('node:cluster');
  if (cluster.isWorker) cluster.worker?.disconnect();
}

/** Signals that not every platform has. Those that are missing here are not listened to. */
const ELSEWHERE = new Set(['SIGBREAK', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH']);

/** Whether a name is that of a signal that a process can answer, on this platform or on another. */
export function isSignal(name: unknown): name is NodeJS.Signals {
  if (typeof name !== 'string' || name === 'SIGKILL' || name === 'SIGSTOP') return false;
  return name in constants.signals || ELSEWHERE.has(name);
}
