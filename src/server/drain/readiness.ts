import type { IncomingMessage, ServerResponse } from 'node:http';
import { warnOfHook } from './hooks';

/** Answers whether this instance wants traffic. For Express (`app.get('/ready', …)`) and for a bare server alike. */
export type ReadinessHandler = (req: IncomingMessage, res: ServerResponse) => void;

/** The app's own check of its readiness: it gives `false`, throws or rejects for "not ready". May be async. */
export type ReadyCheck = () => unknown;

/** Makes the handler: 503 while the server drains or the app's check fails, otherwise 200. */
export function readinessHandler(
  isDraining: () => boolean,
  check: ReadyCheck = () => true,
): ReadinessHandler {
  const ask = askOnceWarned(check);
  return function readiness(_req, res) {
    if (isDraining()) sendState(res, 503, 'draining');
    else {
      void ask().then((isReady) => {
        if (isDraining()) sendState(res, 503, 'draining');
        else sendState(res, isReady ? 200 : 503, isReady ? 'ready' : 'not ready');
      });
    }
  };
}

// Health checks come every few seconds, so only the first failure is reported as a warning.
function askOnceWarned(check: ReadyCheck): () => Promise<boolean> {
  let hasWarned = false;
  return async () => {
    try {
      const isReady = (await check()) !== false;
      hasWarned = false;
      return isReady;
    } catch (error) {
      if (!hasWarned) warnOfHook('ready', error);
      hasWarned = true;
      return false;
    }
  };
}

function sendState(res: ServerResponse, status: number, state: string): void {
  // The client of the health check has left, or a deadline has passed, before the app's check was done.
  if (res.headersSent || res.destroyed) return;
  const body = `${state}\n`;
  res.statusCode = status;
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.setHeader('Content-Length', body.length);
  res.setHeader('Cache-Control', 'no-store');
  if (status === 503) res.setHeader('Retry-After', '1');
  res.end(body);
}
