import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { ServerDrainingError } from '../../errors';
import type { Answer } from '../traffic/traffic';
import { abortSignal } from './abort-answer';

/** How long the app may take to end a stream whose signal has aborted, before the drain ends it. */
const GOODBYE_MS = 1000;

/**
 * Whether an answer is an event stream (`text/event-stream`) that has begun. Its client reconnects when it ends, so a
 * deploy need not wait for it.
 */
export function isEventStream(answer: Answer): boolean {
  return answer.headersSent && /^\s*text\/event-stream\b/i.test(contentTypeOf(answer));
}

/**
 * Whether the client reconnects by itself: an `EventSource` does, and it only sends GETs. The answer to a POST (the
 * tokens of a language model, a tool call over MCP) ends by itself. Its client loses it if it is ended before.
 */
export function isReconnecting(answer: Answer): boolean {
  return isEventStream(answer) && (!('req' in answer) || answer.req.method === 'GET');
}

/** Aborts the signal of an event stream, and ends the stream if the app has not ended it within a second. */
export function endEventStream(answer: Answer): void {
  abortSignal(answer, new ServerDrainingError());
  const timer = setTimeout(() => {
    if (answer.writableEnded || answer.destroyed) return;
    // The app may write on after this end. Without a listener, the error of that write would end the process.
    answer.on('error', () => undefined);
    answer.end();
  }, GOODBYE_MS).unref();
  answer.once('close', () => clearTimeout(timer));
}

/** Calls `listener` when an answer has sent its head and the handler that sent it has returned. */
export function onceBegun(answer: Answer, listener: () => void): void {
  const name = 'req' in answer ? 'writeHead' : 'respond';
  const methods = answer as unknown as Record<typeof name, (...args: unknown[]) => unknown>;
  const send = methods[name];
  function sendHead(this: Answer, ...args: unknown[]): unknown {
    const result = Reflect.apply(send, this, args);
    setImmediate(listener);
    return result;
  }
  methods[name] = sendHead;
}

function contentTypeOf(answer: Answer): string {
  const { stream } = answer as { stream?: ServerHttp2Stream };
  if (!('req' in answer)) return answer.sentHeaders['content-type'] ?? '';
  if (stream !== undefined) return stream.sentHeaders['content-type'] ?? '';
  return String(answer.getHeader('content-type') ?? writtenContentType(answer));
}

// If no header was set before, `getHeader()` does not know the headers of `writeHead(200, { 'Content-Type': … })`.
// Node has no public way to read them; morgan and on-finished read the same property.
function writtenContentType(res: ServerResponse & { _header?: unknown }): string {
  const { _header: head } = res;
  return typeof head === 'string' ? (/^content-type: *(.*)$/im.exec(head)?.[1] ?? '') : '';
}
