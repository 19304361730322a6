import { AsyncResource } from 'node:async_hooks';
import { join, signalIn } from '../abort-listeners';
import type { Call } from '../call';
import type { ConnectionGuard } from '../connection-guard';
import { promised, type Done } from '../promised';
import { callbackIn } from '../run-aborted';
import { submittableCall, type Submittable } from './submittable';
import type { PgClient } from './types';

type Query = (...args: unknown[]) => unknown;

/** The `query()` of a client under guard. */
export function guardedQuery(client: PgClient, plain: Query, guard: ConnectionGuard): Query {
  return function query(this: unknown, config?: unknown, values?: unknown, callback?: unknown): unknown {
    const given = callbackIn(values, callback);
    const signals = join(guard.ownerSignals, signalIn(config, 'client.query()'));
    // Nothing that could be aborted, nothing to wait for; or what pg refuses by itself.
    const isPlain = (signals.length === 0 && guard.isFree) || config === null || config === undefined;
    if (isPlain) {
      // pg would call it in the context of whichever request has opened the connection.
      const then = given && !guard.isPoolsOwn ? AsyncResource.bind(given) : given;
      return typeof values === 'function'
        ? plain.call(client, config, then)
        : plain.call(client, config, values, then);
    }
    if (isSubmittable(config)) {
      if (given && !config.callback) config.callback = given;
      guard.submit(submittableCall(config, signals, guard, () => plain.call(client, config)));
      return config;
    }
    const send = (done: Done): void => {
      const list = typeof values === 'function' ? undefined : values;
      guard.submit(queryCall({ client, plain, guard, signals, config, list }, done));
    };
    if (given) {
      send(guard.isPoolsOwn ? given : AsyncResource.bind(given));
      return undefined;
    }
    return promised(send);
  };
}

interface Ordinary {
  client: PgClient;
  plain: Query;
  guard: ConnectionGuard;
  signals: readonly AbortSignal[];
  config: unknown;
  list: unknown;
}

function queryCall({ client, plain, guard, signals, config, list }: Ordinary, done: Done): Call {
  const call: Call = {
    signals,
    text: textOf(config),
    send() {
      const over: Done = (error, result) => {
        if (signals.length === 0) done(error, result);
        else guard.over(call, error, result);
      };
      try {
        plain.call(client, config, list, over);
      } catch (error) {
        // What pg throws at once (values that are no array, say) it throws before anything is sent.
        over(error);
      }
    },
    abort: (reason) => done(reason),
    deliver: (error, result) => done(error, result),
  };
  return call;
}

function textOf(config: unknown): string | undefined {
  const text = typeof config === 'object' && config !== null ? (config as { text?: unknown }).text : config;
  return typeof text === 'string' ? text : undefined;
}

function isSubmittable(config: unknown): config is Submittable {
  return (
    typeof config === 'object' && config !== null && typeof (config as Submittable).submit === 'function'
  );
}
