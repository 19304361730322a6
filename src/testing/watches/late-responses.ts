import { lastingChannel } from './lasting-channel';

// By name: this kit does not import what it judges.
const CHANNEL = 'express-hangup:late-response';

/** A handler that wrote after its request had been answered for it. */
export interface LateResponse {
  method: string;
  /** The route's pattern. */
  route: string | undefined;
  /** What the handler called: `json`, `setHeader`, … */
  call: string;
  /** Milliseconds after the answer. */
  lateMs: number;
  stack: string | undefined;
}

/** A watch over late responses that has begun. */
export interface LateResponseWatch extends Disposable {
  /** Those that have come so far. */
  readonly late: readonly LateResponse[];
  /** Throws an Error that names every late response that has come so far. */
  check: () => void;
  /** Ends the watch. */
  stop: () => void;
}

/**
 * Notes every response that a handler writes too late. `hangup()` discards it, so it does no harm to the client, but the work
 * was wasted. Call `check()` at the end of a test.
 */
export function failOnLateResponse(): LateResponseWatch {
  const late: LateResponse[] = [];
  const lateResponses = lastingChannel(CHANNEL);
  const note = (message: unknown): void => {
    late.push(message as LateResponse);
  };
  lateResponses.subscribe(note);
  const stop = (): void => {
    lateResponses.unsubscribe(note);
  };
  const check = (): void => {
    if (late.length > 0) throw new Error(sentence(late));
  };
  return { late, check, stop, [Symbol.dispose]: stop };
}

function sentence(late: readonly LateResponse[]): string {
  const lines = late.map(({ method, route, call, lateMs, stack }) => {
    const frames = stack?.split('\n').slice(1).join('\n') ?? '    (no stack in production)';
    return `- ${method} ${route ?? '(no route)'} called ${call}() ${Math.round(lateMs)} ms too late\n${frames}`;
  });
  return `A handler went on after its request had been answered for it:\n${lines.join('\n')}`;
}
