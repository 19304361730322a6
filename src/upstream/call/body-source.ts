import { Readable } from 'node:stream';
import type { UpstreamRequestInit } from '../types';

type Body = UpstreamRequestInit['body'];

/**
 * A body that can be read only once, on its way to undici. undici's fetch reads on when the call has been given up, to
 * the end of the source, if it has one: a source that never waits would keep the event loop for itself.
 */
export class BodySource implements AsyncIterableIterator<Uint8Array> {
  /** All of it has been read. */
  isRead = false;

  /** Called when the source fails, or is not what its length says: undici's fetch may never settle by that. */
  onFailure: ((error: unknown) => void) | undefined = undefined;

  private isStopped = false;
  private isGivenUp = false;
  private bytes = 0;
  private iterator: AsyncIterator<Uint8Array> | undefined = undefined;

  /**
   * @param req - The request for which the call is made: as a source it is left open, for it still has to be answered.
   * @param length - What the caller has said in `Content-Length`.
   */
  constructor(
    private readonly body: Body,
    private readonly req: object | null,
    private readonly length = Infinity,
  ) {
    if ((body as Partial<ReadableStream>).locked === true) {
      throw new TypeError('The body is a stream that somebody else reads: it is locked.');
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const stopped = this.stopped();
    if (stopped) return stopped;
    try {
      const result = await this.advance();
      // It may have been stopped meanwhile.
      return this.stopped() ?? result;
    } catch (error) {
      this.onFailure?.(error);
      throw error;
    }
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.stop();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Reads no more, and fails whoever goes on reading: what has been read must not pass for the whole. */
  giveUp(): void {
    this.isGivenUp = true;
    this.stop();
  }

  /** Reads no more, and tells the source so. */
  stop(): void {
    if (this.isStopped || this.isRead) return;
    this.isStopped = true;
    const { body, req } = this;
    // A source that nobody has begun to read has to be told, too: it may be an open file.
    if (body === req) this.close(this.iterator);
    else if (body instanceof Readable) body.on('error', () => undefined).destroy();
    else if ((body as Partial<ReadableStream>).locked !== true || this.iterator) {
      this.close((this.iterator ??= this.iterate()));
    }
  }

  private async advance(): Promise<IteratorResult<Uint8Array>> {
    const iterator = (this.iterator ??= this.iterate());
    const result = await iterator.next();
    if (result.done) {
      this.isRead = true;
      return result;
    }
    this.bytes += Buffer.byteLength(result.value);
    // The upstream would take what it was told for the whole: whether more comes has to be known before the last byte leaves.
    if (this.bytes > this.length || (this.bytes === this.length && !(await iterator.next()).done)) {
      throw new Error(`The body is longer than its Content-Length of ${this.length} bytes.`);
    }
    return result;
  }

  private stopped(): IteratorResult<Uint8Array> | undefined {
    if (this.isGivenUp) throw new Error('The upload has been given up.');
    return this.isStopped ? { done: true, value: undefined } : undefined;
  }

  private close(iterator: AsyncIterator<Uint8Array> | undefined): void {
    // What the source says to that concerns nobody: the call has an error of its own.
    iterator?.return?.().catch(() => undefined);
  }

  /** Not `read`: undici takes what has that for a stream of Node's. */
  private iterate(): AsyncIterator<Uint8Array> {
    const { body, req } = this;
    if (body === req && body instanceof Readable) return body.iterator({ destroyOnReturn: false });
    return (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  }
}
