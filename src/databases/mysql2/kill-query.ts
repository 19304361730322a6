import type { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import type { CancelEnd } from '../guarded-connection';
import type { ConnectionConfig, CoreConnection } from './types';

type Answer = (error: unknown, rows?: { server: unknown }[]) => void;

/** A connection of mysql2 that is no pool's. */
interface KillConnection extends EventEmitter {
  query(options: { sql: string; rowsAsArray: false }, answer: Answer): unknown;
  destroy(): void;
}

type ConnectionClass = new (options: { config: ConnectionConfig }) => KillConnection;

/** Tells servers behind one address apart: the same thread number would be another query on another server. */
export const WHICH_SERVER = "SELECT CONCAT_WS('|', @@hostname, @@port, @@server_id, @@datadir) AS server";

/**
 * Sends `KILL QUERY` for the query that runs on a connection, over a connection of its own, with the same user and the same
 * TLS. When the server has answered it, the order has been carried out.
 *
 * A thread's number means something to its own server only: the answer of `WHICH_SERVER` has to be the same on both.
 */
export function killQuery(
  victim: CoreConnection,
  server: unknown,
  timeoutMs: number,
  isWanted: () => boolean,
): Promise<CancelEnd> {
  return new Promise((resolve) => {
    const { threadId } = victim;
    if (typeof threadId !== 'number' || typeof server !== 'string') {
      resolve('unknown');
      return;
    }
    const killer = openLike(victim);
    const finish = (end: CancelEnd): void => {
      clearTimeout(timer);
      killer.destroy();
      resolve(end);
    };
    const timer = setTimeout(() => finish('unknown'), timeoutMs);
    // This listener stays, because a destroyed connection may still emit an error.
    killer.on('error', () => finish('unknown'));
    killer.query({ sql: WHICH_SERVER, rowsAsArray: false }, (error, rows) => {
      if (error || rows?.[0]?.server !== server) finish('unknown');
      else if (!isWanted()) finish('unsent');
      else
        killer.query({ sql: `KILL QUERY ${threadId}`, rowsAsArray: false }, (failure) =>
          finish(failure ? 'unknown' : 'done'),
        );
    });
  });
}

/** A connection of the class that pool connections are made of, to the very address that the victim is connected to. */
function openLike(victim: CoreConnection): KillConnection {
  const Connection = Object.getPrototypeOf(victim.constructor) as ConnectionClass;
  const { remotePort, remoteAddress } = victim.stream;
  const config = Object.create(
    Object.getPrototypeOf(victim.config) as object,
    Object.getOwnPropertyDescriptors(victim.config),
  ) as ConnectionConfig;
  config.pool = undefined;
  // The name stays as it is: the certificate is checked for it.
  if (!config.stream && !config.socketPath && remotePort !== undefined && remoteAddress !== undefined) {
    const toTheSame = (): ReturnType<typeof connect> => connect(remotePort, remoteAddress);
    config.stream = toTheSame;
  }
  return new Connection({ config });
}
