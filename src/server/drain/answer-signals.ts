import type { AnyServer } from '../traffic/traffic';
import { endFirstProcess, onSignals, type SignalHandler } from './process-signals';

/**
 * Handles the signals while at least one of the servers is listening. Before and after, a signal ends the process
 * as usual.
 */
export function answerSignals(
  servers: readonly AnyServer[],
  signals: readonly NodeJS.Signals[],
  handler: SignalHandler,
): () => void {
  warnInWorkerThread(signals);
  const open = new Set<AnyServer>();
  if (process.pid === 1) endFirstProcess(signals);
  let off: (() => void) | undefined;
  const undo = servers.map((server) => {
    const onListening = (): void => {
      open.add(server);
      off ??= onSignals(signals, handler);
    };
    const onClose = (): void => {
      open.delete(server);
      if (open.size > 0) return;
      off?.();
      off = undefined;
    };
    if (server.listening) onListening();
    // Before the app's own listeners: they may tell another process that the server listens, and it may signal at once.
    server.prependListener('listening', onListening).on('close', onClose);
    return () => server.off('listening', onListening).off('close', onClose);
  });
  return () => {
    for (const stop of undo) stop();
    off?.();
    off = undefined;
  };
}

function warnInWorkerThread(signals: readonly NodeJS.Signals[]): void {
  if (signals.length === 0) return;
  if (process.getBuiltinModule('node:worker_threads').isMainThread) return;
  process.emitWarning(
    `drainable() runs in a worker thread, where no ${signals.join(' or ')} arrives: Node tells only the main thread. Let the main thread send this one a message, and call drain() on it.`,
    'HangupWarning',
  );
}
