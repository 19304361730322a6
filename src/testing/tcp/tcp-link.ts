import { connect, type Socket } from 'node:net';
import { Pauses } from '../pauses';
import type { Attempt, SocketRecord, UpstreamLog } from '../upstream/upstream-log';
import type { ChosenTcpFault } from './tcp-faults';

/** The parts of the proxy that a link needs. */
export interface LinkParts {
  log: UpstreamLog;
  target: { host: string; port: number };
  faultFor: (attempt: Attempt) => ChosenTcpFault;
}

/** Faults in which nothing of the client reaches the target, and nothing comes back. */
const SWALLOWING = new Set<string>(['hang', 'reset', 'close', 'half-open', 'half-close', 'garbage']);

const GARBAGE = Buffer.from([0, 255, 254, 0, 13, 10, 0, 255, 42, 42, 42, 42, 255, 255, 255, 255]);

/**
 * One connection of a client, and the connection to the target behind it. Its protocol is not known, so an attempt is all that
 * a client sends until something comes back. The client's next bytes after that are the next attempt.
 */
export class TcpLink {
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #record: SocketRecord;
  readonly #parts: LinkParts;
  readonly #pauses = new Pauses();
  #attempt: Attempt | undefined;
  #fault: ChosenTcpFault = { name: 'ok', settings: {} };
  #hasAnswer = false;
  #passed = 0;
  #isStale = false;
  #queue: Promise<void> = Promise.resolve();

  constructor(client: Socket, record: SocketRecord, parts: LinkParts) {
    this.#client = client;
    this.#record = record;
    this.#parts = parts;
    this.#target = connect({ ...parts.target, noDelay: true, allowHalfOpen: true });
    client.on('data', (bytes: Buffer) => this.#fromClient(bytes));
    this.#target.on('data', (bytes: Buffer) => this.#fromTarget(bytes));
    client.on('end', () => this.#target.end());
    client.on('error', () => this.#target.destroy());
    client.on('close', () => this.stop());
    this.#target.on('end', () => this.#targetEnded('fin'));
    this.#target.on('error', () => this.#targetEnded('rst'));
  }

  /** Ends everything: the client has gone, or the proxy closes. */
  stop(): void {
    this.#pauses.stop();
    this.#target.destroy();
  }

  #fromClient(bytes: Buffer): void {
    this.#record.bytesReceived += bytes.length;
    if (this.#attempt === undefined || this.#hasAnswer) this.#begin();
    const attempt = this.#attempt;
    if (!attempt) return;
    this.#parts.log.received(attempt, bytes);
    this.#forward(bytes);
  }

  #begin(): void {
    const { log, faultFor } = this.#parts;
    const head = { method: 'TCP', path: '/', headers: {}, httpVersion: '1.1' as const };
    const attempt = log.arrived(head, this.#record);
    this.#attempt = attempt;
    this.#hasAnswer = false;
    this.#passed = 0;
    if (this.#isStale) {
      log.admitted(attempt, 'stale');
      this.#cut('fin');
      return;
    }
    this.#fault = faultFor(attempt);
    log.admitted(attempt, this.#fault.name);
    this.#act();
  }

  /** Executes the fault, once for each attempt. */
  #act(): void {
    const { name, settings } = this.#fault;
    const when = settings.until ?? settings.ms ?? 0;
    if (name === 'reset') this.#pauses.later(when, () => this.#cut('rst'));
    else if (name === 'close') this.#pauses.later(when, () => this.#cut('fin'));
    else if (name === 'half-close') this.#pauses.later(when, () => this.#client.end());
    else if (name === 'half-open') this.#target.destroy();
    else if (name === 'garbage') this.#pauses.later(when, () => this.#client.write(GARBAGE));
  }

  #forward(bytes: Buffer): void {
    const { name, settings } = this.#fault;
    if (SWALLOWING.has(name)) return;
    if (name !== 'slow') {
      this.#target.write(bytes);
      return;
    }
    this.#pauses.later(settings.until ?? settings.ms ?? 200, () => this.#target.write(bytes));
  }

  #fromTarget(bytes: Buffer): void {
    const { name, settings } = this.#fault;
    if (SWALLOWING.has(name)) return;
    if (name === 'drip') this.#drip(bytes);
    else if (
      name === 'hang-body' ||
      name === 'reset-chunk' ||
      name === 'close-body' ||
      name === 'close-chunk'
    )
      this.#part(bytes, settings.bytes ?? 3);
    else {
      if (name === 'stale') this.#arm(settings.until);
      this.#pass(bytes);
    }
  }

  #arm(until: Promise<unknown> | undefined): void {
    this.#isStale = true;
    const spare = (): void => {
      this.#isStale = false;
    };
    until?.then(spare, spare);
  }

  #drip(bytes: Buffer): void {
    const { bytes: size = 100, ms = 20 } = this.#fault.settings;
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size);
      this.#queue = this.#queue.then(
        () =>
          new Promise((resolve) => {
            this.#pass(piece);
            this.#pauses.later(ms, resolve);
          }),
      );
    }
  }

  /** Passes `most` bytes on in all, and then executes the fault. */
  #part(bytes: Buffer, most: number): void {
    const left = most - this.#passed;
    if (left <= 0) return;
    const piece = bytes.subarray(0, left);
    this.#passed += piece.length;
    this.#client.write(piece);
    if (this.#passed < most) return;
    const { name, settings } = this.#fault;
    if (name === 'hang-body') return;
    this.#pauses.later(settings.until ?? settings.ms ?? 20, () =>
      this.#cut(name === 'reset-chunk' ? 'rst' : 'fin'),
    );
  }

  #pass(bytes: Buffer): void {
    this.#client.write(bytes);
    if (!this.#attempt) return;
    this.#hasAnswer = true;
    this.#parts.log.answered(this.#attempt);
  }

  #targetEnded(how: 'fin' | 'rst'): void {
    const { name } = this.#fault;
    // With these faults the client's connection stays open: the client must not notice that the target has gone.
    if (name === 'half-open' || name === 'hang' || name === 'hang-body') return;
    this.#cut(how);
  }

  #cut(how: 'fin' | 'rst'): void {
    if (this.#record.closed) return;
    this.#parts.log.socketClosed(this.#record, 'upstream', how);
    this.#pauses.stop();
    this.#target.destroy();
    if (how === 'rst') this.#client.write('', () => this.#client.resetAndDestroy());
    else this.#client.destroySoon();
  }
}
