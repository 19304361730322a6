import { constants } from 'node:os';

/** What answers a signal: begins to drain and says when that is done, or, if it drains already, forces. */
export type SignalHandler = () => Promise<unknown>;

// Process-wide, because signals are: one listener per signal, whatever the number of servers.
const handlers = new Map<NodeJS.Signals, Set<SignalHandler>>();

/** Calls `handler` on each of the signals. Gives the function that ends it; with the last handler Node's default is back. */
export function onSignals(signals: readonly NodeJS.Signals[], handler: SignalHandler): () => void {
  for (const signal of signals) {
    const others = handlers.get(signal);
    if (others) {
      others.add(handler);
      continue;
    }
    handlers.set(signal, new Set([handler]));
    process.on(signal, answerSignal);
  }
  return () => {
    for (const signal of signals) {
      const rest = handlers.get(signal);
      rest?.delete(handler);
      if (rest?.size !== 0) continue;
      handlers.delete(signal);
      process.off(signal, answerSignal);
    }
  };
}

function answerSignal(signal: NodeJS.Signals): void {
  void Promise.all([...(handlers.get(signal) ?? [])].map((handler) => handler())).then(leaveCluster);
}

// The channel to its primary keeps a worker alive when nothing else does (the same under PM2's cluster mode).
function leaveCluster(): void {
  if (!process.connected) return;
  const cluster = process.getBuiltinModule('node:cluster');
  if (cluster.isWorker) cluster.worker?.disconnect();
}

/** Whether a name is that of a signal that a process can answer here. */
export function isSignal(name: unknown): name is NodeJS.Signals {
  return typeof name === 'string' && name in constants.signals && name !== 'SIGKILL' && name !== 'SIGSTOP';
}
