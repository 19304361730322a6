import type { Socket } from 'node:net';

/** What `pg` calls a Client, as far as it matters here. */
export interface PgClient {
  query: (...args: unknown[]) => unknown;
  end(callback?: () => void): unknown;
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  release?: (error?: unknown) => void;
  getTransactionStatus?(): string | null;
  readonly host?: string;
  readonly port?: number;
  readonly processID?: number | null;
  readonly secretKey?: unknown;
  readonly ssl?: boolean | Record<string, unknown>;
  readonly sslNegotiation?: string;
  readonly connection?: PgConnection;
  readonly _ending?: boolean;
  readonly _queryable?: boolean;
  readonly _activeQuery?: unknown;
  readonly activeQuery?: unknown;
  readonly _queryQueue?: ArrayLike<unknown>;
  readonly queryQueue?: ArrayLike<unknown>;
  readonly _sentQueryQueue?: ArrayLike<unknown>;
}

/** A client's connection: `pg`'s own class, of which the cancel makes another one. */
export interface PgConnection {
  readonly stream: Socket;
  connect(portOrPath: number | string, host?: string): void;
  cancel(processID: number, secretKey: unknown): void;
  requestSsl(): void;
  on(event: string, listener: (error?: Error) => void): unknown;
  readonly constructor: unknown;
}

/** `pg`'s Connection class. */
export type PgConnectionClass = new (config: Record<string, unknown>) => PgConnection;

/** What `abortable()` takes: a `Pool` of pg 8, described by what it is used for. */
export interface PgPool {
  connect(...args: never[]): unknown;
  query(...args: never[]): unknown;
  end(...args: never[]): unknown;
  on(event: 'acquire', listener: (client: never) => void): unknown;
  readonly totalCount: number;
  readonly waitingCount: number;
}

/** A query with a signal of its own. */
export interface AbortableQuery {
  text: string;
  values?: unknown[];
  name?: string;
  rowMode?: string;
  types?: unknown;
  /** Ends the query in the database when it aborts. In a request's context it is not needed: the query obeys both. */
  signal?: AbortSignal | undefined;
}

/** What a query gives: `pg`'s QueryResult. */
export interface PgResult<Row> {
  rows: Row[];
  rowCount: number | null;
  command: string;
  oid: number;
  fields: { name: string; dataTypeID: number; [key: string]: unknown }[];
}

/** `query()` with a signal. */
export interface QueryWithSignal {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in pg's own types: rows are what the caller says
  <Row = any>(query: AbortableQuery, values?: unknown[]): Promise<PgResult<Row>>;
}

/** The pool that was given, whose queries can be aborted. */
export type AbortablePool<Pool> = Pool & {
  query: QueryWithSignal;
  /** Takes a connection that works for one request: with the signal, its queries and the waiting for it end. */
  connect(options: { signal: AbortSignal }): Promise<AbortableClient<ClientOf<Pool>>>;
};

/** A client whose queries can be aborted. */
export type AbortableClient<Client> = Client & { query: QueryWithSignal };

/** What a pool's `connect()` promises; with @types/pg, PoolClient. */
export type ClientOf<Pool> = Pool extends { connect: { (): Promise<infer Client>; (callback: never): void } }
  ? Client
  : Pool extends { connect: () => Promise<infer Client> }
    ? Client
    : PgClient;
