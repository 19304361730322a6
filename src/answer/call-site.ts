import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallSite } from './fault';

/** A captured stack that is not yet text. Making the text is the expensive part, and only a failure needs it. */
export interface CapturedStack {
  readonly stack?: unknown;
}

/** How many frames are captured. A client library's frames come first, and the app's must still be among them. */
const FRAMES = 50;
const MAX_LINE = 2000;

/** This package's own folder, `dist` or `src`: its frames are not the app's. */
const OWN_FOLDER = join(dirname(__dirname), sep);

/** Takes the stack of the caller. */
export function captureStack(): CapturedStack {
  const limit = Error.stackTraceLimit;
  const captured: CapturedStack = {};
  try {
    Error.stackTraceLimit = FRAMES;
    Error.captureStackTrace(captured);
  } finally {
    Error.stackTraceLimit = limit;
  }
  return captured;
}

/** The mark is a property of the request: a WeakMap would cost half a microsecond per request. */
const MARK = Symbol('express-hangup.site');

/** Marks a request that no line of the app makes itself (a proxy's) with the line that caused it. */
export function markCallSite(request: object, site: CapturedStack): void {
  (request as { [MARK]?: CapturedStack })[MARK] = site;
}

/** The stack that `markCallSite()` has noted. */
export function markedCallSite(request: object): CapturedStack | undefined {
  return (request as { [MARK]?: CapturedStack })[MARK];
}

/**
 * The line of the app that a stack leads back to: the first frame that is neither Node's, nor a dependency's, nor this
 * package's. `undefined` where there is none.
 */
export function siteOf(captured: CapturedStack | undefined): CallSite | undefined {
  return siteInStack(captured?.stack);
}

/** The line of the app in the text of a stack. A replaced `Error.prepareStackTrace` may give any value as the stack. */
export function siteInStack(stack: unknown): CallSite | undefined {
  if (typeof stack !== 'string') return undefined;
  for (const line of stack.split('\n', FRAMES + 10)) {
    // No frame is that long, and the time of the search grows with the square of a line's length.
    if (line.length > MAX_LINE) continue;
    const site = siteInFrame(line);
    if (site === undefined) continue;
    if (isOfApp(site.file)) return site;
    // Frames below Express's router are middlewares that called next(). They did not make the call.
    if (isOfRouter(site.file)) return undefined;
  }
  return undefined;
}

function siteInFrame(line: string): CallSite | undefined {
  const found = /^\s+at (?:.*\()?(.+?):(\d+):(\d+)\)?$/.exec(line);
  if (!found) return undefined;
  const [, place = '', lineNumber, column] = found;
  return {
    file: pathOf(place.replace(/^async /, '')).slice(0, 500),
    line: Number(lineNumber),
    column: Number(column),
  };
}

/** A frame names an ES module by its URL and a CommonJS module by its path. */
function pathOf(place: string): string {
  if (!place.startsWith('file:')) return place;
  try {
    return fileURLToPath(place);
  } catch {
    return place;
  }
}

function isOfApp(file: string): boolean {
  const isForeign = file.startsWith('node:') || /[/\\]node_modules[/\\]/.test(file) || !/[/\\]/.test(file);
  return !isForeign && !file.startsWith(OWN_FOLDER) && !file.includes('<anonymous>');
}

function isOfRouter(file: string): boolean {
  return /[/\\]node_modules[/\\](?:router|express\d?)[/\\]/.test(file);
}
