import type { Cluster, Worker } from 'node:cluster';
import { isMessage, type WorkerMessage } from './messages';

/** A worker that does not answer in this time is left out: its loop is blocked, or it does not call `diagnose()`. */
const WORKER_WITHIN_MS = 1000;

interface Round {
  readonly id: number;
  readonly asker: Worker;
  readonly askersId: number;
  readonly waitingFor: Set<number>;
  /** How many answers could not be passed on. */
  lost: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * In the primary of a cluster: lets each worker's page show all workers. Call it once, with `node:cluster`; it only
 * passes reports on and keeps none, over the channel that Node has opened between primary and workers.
 * @returns A function that ends it.
 */
export function relayReports(cluster: Cluster): () => void {
  const rounds = new Map<number, Round>();
  let lastId = 0;
  const finish = (round: Round): void => {
    clearTimeout(round.timer);
    rounds.delete(round.id);
    const { asker, askersId, lost, waitingFor } = round;
    const missing = waitingFor.size + lost;
    send(asker, { type: 'express-hangup:reports', id: askersId, reports: [], missing });
  };
  const begin = (asker: Worker, askersId: number): void => {
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected() === true);
    const id = ++lastId;
    const timer = setTimeout(() => finish(round), WORKER_WITHIN_MS).unref();
    const waitingFor = new Set(workers.map((worker) => worker?.id ?? 0));
    const round: Round = { id, asker, askersId, waitingFor, lost: 0, timer };
    rounds.set(id, round);
    for (const worker of workers) if (worker) send(worker, { type: 'express-hangup:report?', id });
  };
  const onMessage = (worker: Worker, message: unknown): void => {
    if (isMessage(message, 'express-hangup:ask')) begin(worker, message.id);
    if (!isMessage(message, 'express-hangup:report')) return;
    const round = rounds.get(message.id);
    if (!round?.waitingFor.delete(worker.id)) return;
    const { asker, askersId } = round;
    const { report } = message;
    if (!send(asker, { type: 'express-hangup:one', id: askersId, report })) round.lost++;
    if (round.waitingFor.size === 0) finish(round);
  };
  const onDisconnect = ({ id }: Worker): void => {
    for (const round of [...rounds.values()])
      if (round.waitingFor.delete(id) && round.waitingFor.size === 0) finish(round);
  };
  cluster.on('message', onMessage);
  cluster.on('disconnect', onDisconnect);
  return () => {
    cluster.off('message', onMessage);
    cluster.off('disconnect', onDisconnect);
    for (const round of rounds.values()) clearTimeout(round.timer);
  };
}

/** Whether it could be sent. */
function send(worker: Worker, message: WorkerMessage): boolean {
  try {
    if (worker.isConnected()) worker.send(message, undefined, {}, () => undefined);
    return true;
  } catch {
    // The app's own code may have sent, in our name, what can be received and not be sent on. It must not end the primary.
    return false;
  }
}
