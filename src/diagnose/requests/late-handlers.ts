import type { LateResponseEvent } from '../../events';
import type { LateReport } from '../report';
import { knownMethod } from './known-method';

/** How many routes are kept; the one that was late longest ago makes room. */
const MAX_ROUTES = 50;

/** The handlers that answered late, by route. */
export class LateHandlers {
  private readonly byRoute = new Map<string, LateReport>();
  /** Late responses of the routes that have made room. */
  leftOut = 0;

  note({ method: named, route, call, lateMs, stack, error }: LateResponseEvent): void {
    const method = knownMethod(named);
    const key = `${method} ${route ?? ''}`;
    const known = this.byRoute.get(key);
    // Set again, so that the map's order is that of the last time.
    this.byRoute.delete(key);
    if (this.byRoute.size >= MAX_ROUTES) this.dropOldest();
    this.byRoute.set(key, {
      method,
      route,
      call,
      count: (known?.count ?? 0) + 1,
      longestMs: Math.max(known?.longestMs ?? 0, Math.round(lateMs)),
      lastAt: Date.now(),
      where: firstFrameOf(framesIn(stack, error)),
    });
  }

  report(): LateReport[] {
    return [...this.byRoute.values()].reverse();
  }

  private dropOldest(): void {
    const [oldest] = this.byRoute;
    if (!oldest) return;
    const [key, { count }] = oldest;
    this.leftOut += count;
    this.byRoute.delete(key);
  }
}

/** A stack without the message before it, which may hold a client's text, and lines that look like frames. */
function framesIn(stack: string | undefined, error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : '';
  const at = stack?.indexOf(message) ?? -1;
  // If the message was changed later, nothing tells where the frames begin.
  return at === -1 ? undefined : stack?.slice(at + message.length);
}

/** The first frame that is the app's: neither Node's nor a dependency's. */
function firstFrameOf(stack: string | undefined): string | undefined {
  const frames = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const own = frames.find((frame) => !/node:|[/\\]node_modules[/\\]/.test(frame)) ?? frames[0];
  return own?.replace(/^\s+at /, '').slice(0, 200);
}
