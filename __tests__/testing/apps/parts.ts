import type { ClientRequest, RequestListener, ServerResponse } from 'node:http';
import type { Server } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { ConformanceOptions } from 'express-hangup/testing';

/** The deadline of every app here, in milliseconds. */
export const DEADLINE = 250;

/** A small app without express-hangup, and what the run must be told about it. */
export interface SmallApp {
  name: string;
  make: (url: string) => Express | RequestListener | Server | Promise<Server>;
  options?: ConformanceOptions;
}

/** An app with one defect, and the words by which it is named. */
export interface DefectiveApp extends SmallApp {
  says: RegExp;
}

/** Aborts when the client leaves and when the deadline passes. */
export function endOf(res: ServerResponse, deadline = DEADLINE): AbortSignal {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error('too slow')), deadline);
  res.on('close', () => {
    clearTimeout(timer);
    // On HTTP/2 writableFinished is true for a response that nobody has written.
    if (!res.writableEnded) controller.abort(new Error('the client has left'));
  });
  return controller.signal;
}

/** Answers honestly for an upstream that has failed, or breaks the answer that has begun. */
export function fail(res: ServerResponse, signal: AbortSignal | undefined): void {
  if (res.headersSent) res.destroy();
  else if (!res.destroyed) {
    res.statusCode = signal?.aborted === true ? 504 : 502;
    res.setHeader('content-type', 'application/json');
    res.end('{"error":"upstream"}');
  }
}

/** The request to the upstream for a request of the client. */
export function initOf(req: Request, signal?: AbortSignal): RequestInit {
  return {
    method: req.method,
    ...(signal && { signal }),
    ...(req.method !== 'GET' && req.method !== 'DELETE' && { body: JSON.stringify(req.body) }),
  };
}

export type Handler = (req: Request, res: Response, signal: AbortSignal) => unknown;

/** An app that hands each request to a handler, and answers honestly where it fails. */
export function honest(handler: Handler): Express {
  const app = express().set('etag', false).use(express.json());
  app.use(async (req: Request, res: Response) => {
    const signal = endOf(res);
    try {
      await handler(req, res, signal);
    } catch {
      fail(res, signal);
    }
  });
  app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) => fail(res, undefined));
  return app;
}

/** An app that does everything by itself. */
export function bare(handler: (req: Request, res: Response) => unknown): Express {
  const app = express().set('etag', false).use(express.json());
  app.use((req: Request, res: Response) => handler(req, res));
  app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) => fail(res, undefined));
  return app;
}

/** A listener of Node's own, without Express. */
export function plain(listener: RequestListener): RequestListener {
  return listener;
}

/** Whether a request has got its answer, at least the head of it. */
export function hasAnswer(request: ClientRequest): boolean {
  return ((request as { res?: object | null }).res ?? undefined) !== undefined;
}
