import { isIP } from 'node:net';
import type { CancelEnd } from '../guarded-connection';
import type { PgClient, PgConnection, PgConnectionClass } from './types';

/**
 * Sends a CancelRequest for the query that runs on a client. It goes over a connection of its own, of `pg`'s own
 * class, with the same TLS, to the same server even if the host name stands for several.
 *
 * PostgreSQL closes that connection only after it has signalled the process that runs the query. So a query that is
 * sent after the close cannot be hit (libpq waits for the same, in PQcancel).
 *
 * @param isWanted - Called right before the request is sent, when the connection for it is open.
 */
export function sendCancelRequest(
  client: PgClient,
  streamOf: unknown,
  timeoutMs: number,
  isWanted: () => boolean,
): Promise<CancelEnd> {
  return new Promise((resolve) => {
    const { connection, processID, secretKey } = client;
    if (!connection || typeof processID !== 'number') {
      resolve('unknown');
      return;
    }
    let isSent = false;
    const cancel = openLike(client, connection, streamOf);
    const finish = (end: CancelEnd): void => {
      clearTimeout(timer);
      resolve(end);
      // The stream may have become a TLS one since.
      cancel.stream.destroy();
    };
    const timer = setTimeout(() => finish('unknown'), timeoutMs);
    cancel.on('error', () => finish('unknown'));
    cancel.on('end', () => finish(isSent ? 'done' : 'unknown'));
    const send = (): void => {
      if (!isWanted()) {
        finish('unsent');
        return;
      }
      isSent = true;
      cancel.cancel(processID, secretKey);
    };
    if (!client.ssl) cancel.on('connect', send);
    else {
      cancel.on('connect', () => {
        if (client.sslNegotiation !== 'direct') cancel.requestSsl();
      });
      cancel.on('sslconnect', send);
    }
  });
}

function openLike(client: PgClient, connection: PgConnection, streamOf: unknown): PgConnection {
  const Connection = connection.constructor as PgConnectionClass;
  const { host = 'localhost', port = 5432 } = client;
  const another = new Connection({
    ssl: tlsOptions(client, host),
    sslNegotiation: client.sslNegotiation,
    ...(typeof streamOf === 'function' && { stream: streamOf }),
  });
  if (host.startsWith('/')) another.connect(`${host}/.s.PGSQL.${port}`);
  else another.connect(connection.stream.remotePort ?? port, connection.stream.remoteAddress ?? host);
  return another;
}

/** The client's own TLS options, and the name to check the certificate for: the connection is to an address. */
function tlsOptions({ ssl = false }: PgClient, host: string): Record<string, unknown> | false {
  if (!ssl) return false;
  const given = ssl === true ? {} : ssl;
  return {
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ...given,
    // pg hides the key from enumeration, so that it is not printed.
    ...('key' in given && { key: given['key'] }),
  };
}
