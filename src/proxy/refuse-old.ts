import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A `logProvider` that refuses http-proxy-middleware 2 and older at start-up: only those call it with a provider of their
 * own, when `createProxyMiddleware()` is called. They would ignore `on` and `plugins`, and with them all that
 * `hangupProxy()` does. Version 3 calls it without an argument (`legacyCreateProxyMiddleware()`), version 4 not at all.
 *
 * This finds the copy that is really used; the one that a file would resolve need not be it.
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

/** The version of the package whose `dist/logger.js` calls; `undefined` where it is part of a bundle. */
function versionOfCaller(): string | undefined {
  const directory = /\((.*?)[\\/]dist[\\/]logger\.js:\d+/.exec(new Error().stack ?? '')?.[1];
  if (directory === undefined) return undefined;
  try {
    return (JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return undefined;
  }
}
