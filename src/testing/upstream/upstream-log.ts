import type { TcpFaultName } from '../tcp/tcp-faults';
import type { FaultName } from './fault-names';
import { WaitingRoom } from '../waiting-room';

/** How much of a request's body is kept, so that a test can read it. */
const KEPT_BYTES = 65_536;

/** How a connection (HTTP/2: one stream of it) came to its end. */
export interface Closing {
  /** Who closed first. */
  by: 'client' | 'upstream';
  /** `fin`: an orderly end; `rst`: a TCP reset; `stream-reset`: an RST_STREAM of HTTP/2. */
  how: 'fin' | 'rst' | 'stream-reset';
  /** When, on the clock of `performance.now()`. */
  at: number;
}

/** One connection that the upstream has accepted. Its properties are kept up to date while it is open. */
export interface UpstreamSocket {
  /** 1 for the first connection. */
  readonly id: number;
  /** When it was accepted, on the clock of `performance.now()`. */
  readonly openedAt: number;
  /** Requests that have begun on it. */
  readonly requests: number;
  /** Bytes that came in, after decryption. */
  readonly bytesReceived: number;
  /** How it was closed; `undefined` while it is open. */
  readonly closed: Closing | undefined;
}

/** One request that has reached the upstream. Its properties are kept up to date while it runs. */
export interface UpstreamAttempt {
  /** 1 for the first request that came. */
  readonly id: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly httpVersion: '1.1' | '1.0' | '2';
  /** The fault that it gets. */
  readonly fault: FaultName | TcpFaultName;
  /** Bytes of its body that have come. */
  readonly bodyBytes: number;
  /** The first 64 KB of its body, as far as they have come. */
  readonly body: Buffer;
  /** Whether its body has come to its end. */
  readonly bodyComplete: boolean;
  /** The connection on which it came. */
  readonly socket: UpstreamSocket;
  readonly socketId: number;
  /** 1 for the first request on its connection; above 1 the connection was reused. */
  readonly requestOnSocket: number;
  /** The age of its connection when the request came, in milliseconds. */
  readonly socketAge: number;
  /** How long its connection had been idle, in milliseconds: since the previous answer, or since it was opened. */
  readonly socketIdle: number;
  /** When it came, on the clock of `performance.now()`. */
  readonly at: number;
  /** When its whole answer had been written; `undefined` before that, and if it never was. */
  readonly answeredAt: number | undefined;
  /** How its connection (HTTP/2: its stream) was closed, before or after the answer; `undefined` while it is open. */
  readonly closed: Closing | undefined;
  /** `running`, `answered` completely, or cut before that by the client or by the upstream. */
  readonly state: 'running' | 'answered' | 'cut-by-client' | 'cut-by-upstream';
}

/** The writable form of `UpstreamSocket`. */
export class SocketRecord implements UpstreamSocket {
  readonly openedAt = performance.now();
  requests = 0;
  bytesReceived = 0;
  closed: Closing | undefined;
  /** When its last answer was written, or when it was opened. */
  idleSince = this.openedAt;
  /** Its attempts that have not been closed yet. */
  readonly attempts: Attempt[] = [];
  /** Destroys the connection. */
  destroy: () => void = () => undefined;

  constructor(readonly id: number) {}
}

/** What is known of a request when it begins. */
export type AttemptHead = Pick<UpstreamAttempt, 'method' | 'path' | 'headers' | 'httpVersion'>;

/** The writable form of `UpstreamAttempt`. */
export class Attempt implements UpstreamAttempt {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly httpVersion: '1.1' | '1.0' | '2';
  readonly at = performance.now();
  readonly socketAge: number;
  readonly socketIdle: number;
  readonly requestOnSocket: number;
  fault: FaultName | TcpFaultName = 'ok';
  bodyBytes = 0;
  bodyComplete = false;
  readonly #pieces: Buffer[] = [];
  answeredAt: number | undefined;
  closed: Closing | undefined;

  constructor(
    readonly id: number,
    head: AttemptHead,
    readonly socket: SocketRecord,
  ) {
    this.method = head.method;
    this.path = head.path;
    this.headers = head.headers;
    this.httpVersion = head.httpVersion;
    this.socketAge = this.at - socket.openedAt;
    this.socketIdle = this.at - socket.idleSince;
    socket.requests += 1;
    this.requestOnSocket = socket.requests;
  }

  get body(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  /** More of its body has come. */
  add(bytes: Buffer): void {
    if (this.bodyBytes < KEPT_BYTES) this.#pieces.push(bytes.subarray(0, KEPT_BYTES - this.bodyBytes));
    this.bodyBytes += bytes.length;
  }

  get socketId(): number {
    return this.socket.id;
  }

  get state(): UpstreamAttempt['state'] {
    if (this.answeredAt !== undefined) return 'answered';
    if (this.closed === undefined) return 'running';
    return this.closed.by === 'client' ? 'cut-by-client' : 'cut-by-upstream';
  }
}

/** Records what an upstream has seen, and lets tests wait for what it will see. */
export class UpstreamLog {
  readonly attempts: Attempt[] = [];
  readonly sockets: SocketRecord[] = [];
  readonly #room: WaitingRoom;
  /** Attempts up to this id are skipped, and so are the given ones. */
  #skipped = 0;
  readonly #given = new Set<number>();
  #begun = 0;
  #opened = 0;

  constructor(patience: number) {
    this.#room = new WaitingRoom(patience);
  }

  /** A connection was accepted. */
  opened(): SocketRecord {
    const record = new SocketRecord(++this.#opened);
    this.sockets.push(record);
    this.#room.changed();
    return record;
  }

  /** A request has begun. */
  arrived(head: AttemptHead, socket: SocketRecord): Attempt {
    return new Attempt(++this.#begun, head, socket);
  }

  /** The fault of the attempt is known: from now on the attempt is listed. */
  admitted(attempt: Attempt, fault: FaultName | TcpFaultName): void {
    attempt.fault = fault;
    this.attempts.push(attempt);
    attempt.socket.attempts.push(attempt);
    this.#room.changed();
  }

  /** More of a request's body has come. */
  received(attempt: Attempt, bytes: Buffer): void {
    attempt.add(bytes);
    this.#room.changed();
  }

  /** A request's body has come to its end. */
  completed(attempt: Attempt): void {
    attempt.bodyComplete = true;
    this.#room.changed();
  }

  /** The whole answer has been written. */
  answered(attempt: Attempt): void {
    attempt.answeredAt ??= performance.now();
    attempt.socket.idleSince = performance.now();
    this.#room.changed();
  }

  /** One stream has ended before its connection did. */
  streamClosed(attempt: Attempt, by: Closing['by'], how: Closing['how']): void {
    attempt.closed ??= { by, how, at: performance.now() };
    this.#room.changed();
  }

  /** A connection was closed. Only the first report counts. */
  socketClosed(record: SocketRecord, by: Closing['by'], how: Closing['how']): void {
    if (record.closed !== undefined) return;
    record.closed = { by, how, at: performance.now() };
    for (const attempt of record.attempts.splice(0)) attempt.closed ??= record.closed;
    this.#room.changed();
  }

  /** The next attempt that has not been returned yet; with a path, the next one for that path. */
  nextAttempt(path?: string): Promise<Attempt> {
    const name = path === undefined ? 'another attempt' : `another attempt for ${path}`;
    return this.#room.until(name, () => {
      const found = this.attempts.find(
        (attempt) =>
          attempt.id > this.#skipped &&
          !this.#given.has(attempt.id) &&
          (path === undefined || attempt.path === path),
      );
      if (found) this.#given.add(found.id);
      return found;
    });
  }

  /** Skips the attempts that have come before and were not returned. */
  passOver(): void {
    this.#skipped = this.#begun;
    this.#given.clear();
  }

  /** Forgets everything that is over. */
  forget(): void {
    this.passOver();
    keep(this.attempts, ({ state }) => state === 'running');
    keep(this.sockets, ({ closed }) => closed === undefined);
    for (const { attempts } of this.sockets) keep(attempts, ({ state }) => state === 'running');
  }

  untilClosed(what: UpstreamAttempt | UpstreamSocket): Promise<Closing> {
    const name =
      'path' in what ? `${what.method} ${what.path} to be closed` : `socket ${what.id} to be closed`;
    return this.#room.until(name, () => what.closed);
  }

  untilOver(attempt: UpstreamAttempt): Promise<Exclude<UpstreamAttempt['state'], 'running'>> {
    return this.#room.until(`${attempt.method} ${attempt.path} to be over`, () =>
      attempt.state === 'running' ? undefined : attempt.state,
    );
  }

  async idle(): Promise<void> {
    await this.#room.until('all attempts to be over', () =>
      this.attempts.every(({ state }) => state !== 'running') ? true : undefined,
    );
  }

  async allClosed(): Promise<void> {
    await this.#room.until('all sockets to close', () => (this.open() === 0 ? true : undefined));
  }

  /** How many connections are open. */
  open(): number {
    return this.sockets.filter(({ closed }) => closed === undefined).length;
  }

  close(): void {
    this.#room.close();
  }
}

function keep<T>(list: T[], wanted: (item: T) => boolean): void {
  list.splice(0, list.length, ...list.filter(wanted));
}
