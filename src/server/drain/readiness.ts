import type { IncomingMessage, ServerResponse } from 'node:http';
import { warnOfHook } from './hooks';

/** Answers whether this instance wants traffic. For Express (`app.get('/ready', …)`) and for a bare server alike. */
export type ReadinessHandler = (req: IncomingMessage, res: ServerResponse) => void;

/** The app's own say in its readiness: `false`, a throw or a rejection means "not ready". May be async. */
export type ReadyCheck = () => unknown;

/** Makes the handler: 200 while nothing speaks against it, 503 while the server drains or the app says so. */
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

// Probes come every few seconds: one warning tells that the check has begun to fail.
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
  // A probe that gave up, or a deadline, was faster than the app's check.
  if (res.headersSent || res.destroyed) return;
  const body = `${state}\n`;
  res.statusCode = status;
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.setHeader('Content-Length', body.length);
  res.setHeader('Cache-Control', 'no-store');
  if (status === 503) res.setHeader('Retry-After', '1');
  res.end(body);
}
