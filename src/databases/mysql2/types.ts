import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/** A command of mysql2: what `connection.query()` gives. */
export interface Command extends EventEmitter {
  sql?: string;
  onResult?: ((error: unknown, ...results: unknown[]) => void) | undefined;
}

/** A list that waits: mysql2's own queue, of which there are two kinds in versions 3. */
export interface Queue {
  readonly length: number;
  get?(index: number): unknown;
  peekAt?(index: number): unknown;
  removeOne(index: number): unknown;
}

type Method = (...args: unknown[]) => unknown;

/** A connection of a pool of mysql2, as far as it matters here. */
export interface CoreConnection extends EventEmitter {
  query: Method;
  execute: Method;
  release: () => void;
  destroy: () => void;
  readonly threadId: number | null;
  readonly config: ConnectionConfig;
  readonly stream: Socket;
  readonly _command?: Command | null;
  readonly _commands?: Queue;
  readonly _fatalError?: unknown;
  readonly _closing?: boolean;
}

/** What a connection is made of. */
export interface ConnectionConfig {
  stream?: unknown;
  socketPath?: string;
  pool?: unknown;
  [option: string]: unknown;
}

/** The pool behind the promise pool, and the one of the callback API. */
export interface CorePool extends EventEmitter {
  query: Method;
  execute: Method;
  getConnection: Method;
  readonly _connectionQueue?: Queue;
}

/** What `abortable()` takes: a pool of mysql2, of its callback or its promise API. */
export interface Mysql2Pool {
  query(...args: never[]): unknown;
  execute(...args: never[]): unknown;
  getConnection(...args: never[]): unknown;
  end(...args: never[]): unknown;
}

/** A query with a signal of its own; other options are mysql2's. */
export interface AbortableQuery {
  sql: string;
  values?: unknown;
  /** Ends the query in the database when it aborts. In a request's context it is not needed: the query obeys both. */
  signal?: AbortSignal | undefined;
  [option: string]: unknown;
}

/** `getConnection()` for one request. */
export interface ForRequest {
  signal: AbortSignal;
}

/** What the promise API gives for a query: rows and fields. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in mysql2's own types: rows are what the caller says
export type Rows<Row = any> = [rows: Row, fields: unknown[]];

/** The pool that was given, whose queries can be aborted. */
export type AbortablePool<Pool> = Pool & {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  query<Row = any>(query: AbortableQuery, values?: unknown): Promise<Rows<Row>>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  execute<Row = any>(query: AbortableQuery, values?: unknown): Promise<Rows<Row>>;
  /** Takes a connection that works for one request: with the signal, its queries and the waiting for it end. */
  getConnection(options: ForRequest): Promise<ConnectionOf<Pool>>;
};

/** What a promise pool's `getConnection()` promises. */
export type ConnectionOf<Pool> = Pool extends { getConnection(): Promise<infer Connection> }
  ? Connection
  : never;
