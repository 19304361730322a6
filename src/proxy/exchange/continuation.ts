import type { Request, Response } from 'express';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gatewayErrorHandler } from '../../answer/gateway-error-handler';
import { breakResponse } from '../../request/response/break-response';
import type { Next } from '../../request/lifetime/lifetime';

/**
 * How a request goes on when its proxy has failed: with the `next` of the innermost router, which Express itself keeps on
 * the request for `res.sendFile()` and `res.render()`. Without Express (connect, a bare server) the error is answered as
 * `gatewayErrorHandler()` does.
 */
export function continuationOf(req: IncomingMessage & { next?: unknown }, res: ServerResponse): Next {
  const next = req.next;
  return typeof next === 'function' ? (next as Next) : (error) => answerWithoutApp(error, req, res);
}

/** Answers an error where there is no app: a fault as `gatewayErrorHandler()` does, any other with its own status or a 500. */
export function answerWithoutApp(error: unknown, req: IncomingMessage, res: ServerResponse): void {
  void gatewayErrorHandler()(error, req as Request, res as Response, () => {
    if (res.headersSent) {
      breakResponse(req, res);
      return;
    }
    res.statusCode = statusOf(error);
    res.end();
  });
}

function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500;
}
