import { Readable } from 'node:stream';
import type { UpstreamRequestInit } from '../types';

type Body = UpstreamRequestInit['body'];

/**
 * Hands undici a body that can be read only once. When a call is given up, undici's fetch goes on reading the source to
 * its end. A source that has no end and never waits would block the event loop.
 */
export class BodySource implements AsyncIterableIterator<Uint8Array> {
  /** All of it has been read. */
  isRead = false;

  /** Called when the source fails or exceeds its announced length. undici's fetch might never settle in these cases. */
  onFailure: ((error: unknown) => void) | undefined = undefined;

  private isStopped = false;
  private isGivenUp = false;
  private bytes = 0;
  private iterator: AsyncIterator<Uint8Array> | undefined = undefined;

  /**
   * @param req - The request for which the call is made. If it is the source, it is left open: it still has to be answered.
   * @param length - The caller's `Content-Length`.
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
      // The source may have been stopped meanwhile.
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

  /** Stops reading, and makes further reads fail: the part that has been read must not pass for the whole body. */
  giveUp(): void {
    this.isGivenUp = true;
    this.stop();
  }

  /** Stops reading and closes the source. */
  stop(): void {
    if (this.isStopped || this.isRead) return;
    this.isStopped = true;
    const { body, req } = this;
    // A source that nobody has begun to read has to be closed, too: it may be an open file.
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
    // The upstream takes the announced length for the whole body. Whether there is more has to be known before the last
    // byte leaves.
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
    // An error of the source is ignored here: the call already has an error of its own.
    iterator?.return?.().catch(() => undefined);
  }

  /** Not named `read`: undici takes an object with a `read` method for a Node stream. */
  private iterate(): AsyncIterator<Uint8Array> {
    const { body, req } = this;
    if (body === req && body instanceof Readable) return body.iterator({ destroyOnReturn: false });
    return (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  }
}
