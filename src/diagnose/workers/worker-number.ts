import type { Cluster } from 'node:cluster';

/** `node:cluster`, in a process that may be a worker. Any other need not load it. */
export function clusterOfWorker(): Cluster | undefined {
  if (typeof process.send !== 'function') return undefined;
  const cluster = process.getBuiltinModule('node:cluster');
  return cluster.isWorker ? cluster : undefined;
}

/** The number of this process among the workers of PM2 or of a cluster; `undefined` where it is none. */
export function workerNumber(): number | undefined {
  const { NODE_APP_INSTANCE } = process.env;
  if (NODE_APP_INSTANCE !== undefined && /^\d{1,6}$/.test(NODE_APP_INSTANCE))
    return Number(NODE_APP_INSTANCE);
  return clusterOfWorker()?.worker?.id;
}
