import { AsyncResource } from 'node:async_hooks';
import { join, signalIn } from '../abort-listeners';
import type { QueuedCall } from '../call';
import type { ConnectionGuard } from '../connection-guard';
import { promised, type Done } from '../promised';
import { callbackIn } from '../run-aborted';
import { textOf } from './query-text';
import { submittableCall, type Submittable } from './submittable';
import type { PgClient } from './types';

type Plain = Pick<PgClient, 'query'>;

/** The `query()` of a client under guard; `plain` has the client's own. */
export function guardedQuery(
  client: PgClient,
  plain: Plain,
  guard: ConnectionGuard,
  config: unknown,
  values: unknown,
  callback: unknown,
): unknown {
  const { poolQuery } = guard;
  if (poolQuery && guard.begin(poolQuery)) return plain.query.call(client, config, values, callback);
  const given = callbackIn(values, callback);
  const signals = join(guard.ownerSignals, signalIn(config, 'client.query()'));
  // Nothing can abort it and nothing is to wait for, or pg itself refuses it.
  if ((signals.length === 0 && guard.isFree) || config === null || config === undefined) {
    // pg would call it in the context of whichever request has opened the connection.
    const then = given && !guard.isPoolsOwn ? AsyncResource.bind(given) : given;
    return typeof values === 'function'
      ? plain.query.call(client, config, then)
      : plain.query.call(client, config, values, then);
  }
  if (isSubmittable(config)) {
    if (given && !config.callback) config.callback = given;
    guard.submit(submittableCall(config, signals, guard, () => plain.query.call(client, config)));
    return config;
  }
  const list = typeof values === 'function' ? undefined : values;
  const send = (done: Done): void =>
    guard.submit(queryCall({ client, plain, guard, signals, config, list }, done));
  if (!given) return promised(signals, send);
  send(guard.isPoolsOwn ? given : AsyncResource.bind(given));
  return undefined;
}

interface Ordinary {
  client: PgClient;
  plain: Plain;
  guard: ConnectionGuard;
  signals: readonly AbortSignal[];
  config: unknown;
  list: unknown;
}

function queryCall({ client, plain, guard, signals, config, list }: Ordinary, done: Done): QueuedCall {
  const call: QueuedCall = {
    signals,
    text: textOf(config),
    send() {
      const over: Done = (error, result) => {
        if (signals.length === 0) done(error, result);
        else guard.over(call, error, result);
      };
      try {
        plain.query.call(client, config, list, over);
      } catch (error) {
        // An error that pg throws (for values that are no array, say) comes before anything is sent.
        over(error);
      }
    },
    abort: (reason) => done(reason),
    deliver: (error, result) => done(error, result),
  };
  return call;
}

function isSubmittable(config: unknown): config is Submittable {
  return (
    typeof config === 'object' && config !== null && typeof (config as Submittable).submit === 'function'
  );
}
