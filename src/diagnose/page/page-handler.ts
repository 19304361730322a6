import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request } from 'express';
import type { DiagnoseOptions } from '../diagnose-options';
import { printableJson } from '../printable';
import type { Report } from '../report';
import { assetOf, type Asset } from './assets';
import { docsOf } from './error-docs';
import { refusalOf } from './guard';

/** An Express handler, and one of plain node:http. */
export type PageHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/** No inline script or style, nothing from elsewhere, no frame around it. https://www.w3.org/TR/CSP3/ */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** Where the reports come from. */
export interface Reports {
  /** Of all workers, or of this process. */
  readonly all: () => Promise<Report>;
}

/**
 * The handler of the page. Below the path at which it is mounted it serves the page, its style and script, and the
 * report as JSON. The path itself gives the page to browsers and the report to all other clients.
 * @param onOwn - Told of the responses of the page itself.
 */
export function pageHandler(
  reports: Reports,
  onOwn: (res: ServerResponse) => void,
  allow: DiagnoseOptions['allow'],
): PageHandler {
  return function hangupPage(req, res, next) {
    onOwn(res);
    const serve = async (): Promise<void> => {
      const refusal = await refusalFor(req, allow);
      if (refusal !== undefined) send(req, res, 403, { type: 'text/plain', body: refusal });
      else if (req.method === 'GET' || req.method === 'HEAD') await answer(req, res, reports, next);
      else
        send(req, res.setHeader('Allow', 'GET, HEAD'), 405, {
          type: 'text/plain',
          body: 'Method Not Allowed\n',
        });
    };
    serve().catch((error: unknown) => {
      if (next) next(error);
      else send(req, res, 500, { type: 'text/plain', body: 'Internal Server Error\n' });
    });
  };
}

/** `allow` replaces all rules. Only `true` allows the request: another truthy value may be a mistake. */
async function refusalFor(
  req: IncomingMessage,
  allow: DiagnoseOptions['allow'],
): Promise<string | undefined> {
  if (allow === undefined) return refusalOf(req);
  const allowed: unknown = await allow(req as Request);
  if (allowed === true) return undefined;
  return `Forbidden: the app's allow() gave ${typeof allowed === 'boolean' ? 'false' : `a value of type ${typeof allowed}, and not true`}.\n`;
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  reports: Reports,
  next: PageNext,
): Promise<void> {
  const path = pathOf(req.url);
  if (path === '/' || path === '') {
    res.setHeader('Vary', 'Accept');
    if (!prefersHtml(req.headers.accept)) await sendReport(req, res, reports);
    else if (!hasTrailingSlash(req)) redirect(req, res);
    else sendAsset(req, res, assetOf('page.html'), next);
    return;
  }
  if (path === '/report.json') await sendReport(req, res, reports);
  else sendAsset(req, res, assetOf(path.slice(1)) ?? docsAt(path), next);
}

function sendAsset(
  req: IncomingMessage,
  res: ServerResponse,
  asset: Asset | undefined,
  next: PageNext,
): void {
  if (asset) send(req, res, 200, asset);
  else if (next) next();
  else send(req, res, 404, { type: 'text/plain', body: 'Not Found\n' });
}

/** `/errors/UPSTREAM_RESET`: what the docs say of a code. */
function docsAt(path: string): Asset | undefined {
  const body = path.startsWith('/errors/') ? docsOf(path.slice('/errors/'.length)) : undefined;
  return body === undefined ? undefined : { type: 'text/plain', body };
}

type PageNext = Parameters<PageHandler>[2];

async function sendReport(req: IncomingMessage, res: ServerResponse, reports: Reports): Promise<void> {
  send(req, res, 200, { type: 'application/json', body: `${printableJson(await reports.all())}\n` });
}

/** The page's assets are relative to it, so that it works behind any mount and any prefix: its path must end in a slash. */
function redirect(req: IncomingMessage, res: ServerResponse): void {
  const name = originalPath(req).split('/').at(-1) ?? '';
  send(req, res.setHeader('Location', `./${name}/`), 302, { type: 'text/plain', body: '' });
}

function hasTrailingSlash(req: IncomingMessage): boolean {
  return originalPath(req).endsWith('/');
}

/** Express shortens `url` by the path of the mount. */
function originalPath(req: IncomingMessage & { originalUrl?: string }): string {
  return pathOf(req.originalUrl ?? req.url);
}

function pathOf(url = '/'): string {
  return url.replace(/[?#].*$/s, '');
}

/** Browsers name `text/html`. A client that asks for JSON or accepts anything gets the report. */
function prefersHtml(accept = ''): boolean {
  return qualityOf('text/html', accept) > qualityOf('application/json', accept);
}

/** RFC 9110, 12.5.1, without wildcards: a client that accepts anything gets JSON. */
function qualityOf(type: string, accept: string): number {
  const entry = accept
    .toLowerCase()
    .split(',')
    .map((part) => part.trim())
    .find((part) => part === type || part.startsWith(`${type};`));
  if (entry === undefined) return 0;
  const quality = /;\s*q=([\d.]+)/.exec(entry)?.[1];
  return quality === undefined ? 1 : Number(quality);
}

function send(req: IncomingMessage, res: ServerResponse, status: number, { type, body }: Asset): void {
  res.statusCode = status;
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) res.setHeader(name, value);
  res.setHeader('Content-Type', `${type}; charset=utf-8`);
  res.setHeader('Content-Length', Buffer.byteLength(body));
  res.end(req.method === 'HEAD' ? undefined : body);
}
