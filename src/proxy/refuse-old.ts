import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A `logProvider` that refuses http-proxy-middleware 2 and older at start-up. They would ignore `on` and `plugins`, and so
 * all that `hangupProxy()` does. Only they call `logProvider` with an argument, when `createProxyMiddleware()` is called.
 * Version 3 calls it without one (`legacyCreateProxyMiddleware()`), and version 4 not at all.
 *
 * So the copy that is really used is checked. `require.resolve()` might find another copy.
 */
export function refuseOldVersions(ownProvider: unknown): (...args: unknown[]) => unknown {
  return function logProvider(...args) {
    if (args.length > 0) throw new Error(refusal(versionOfCaller()));
    return typeof ownProvider === 'function' ? (ownProvider as () => unknown)() : undefined;
  };
}

function refusal(version: string | undefined): string {
  return (
    'hangupProxy() needs http-proxy-middleware 3 or 4, but its options were given to http-proxy-middleware ' +
    `${version ?? '2 or older'}. Run "npm install http-proxy-middleware@3" (Express 4 or 5) or @4.`
  );
}

/** The version of the package whose `dist/logger.js` has called; `undefined` where that is part of a bundle. */
function versionOfCaller(): string | undefined {
  const directory = /\((.*?)[\\/]dist[\\/]logger\.js:\d+/.exec(new Error().stack ?? '')?.[1];
  if (directory === undefined) return undefined;
  try {
    return (JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return undefined;
  }
}
