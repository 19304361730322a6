import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What the rules need to know of a project's manifests. */
export interface Project {
  /** Express's major version as package.json asks for it. */
  readonly express: number | undefined;
  /** Whether a package is among the dependencies, of whatever kind. */
  has: (name: string) => boolean;
  /** `[major, minor]` of the lowest version that a dependency's range allows; `undefined` where it cannot be told. */
  version: (name: string) => [number, number] | undefined;
  /** Whether a manifest was found at all. */
  readonly known: boolean;
}

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

const cache = new Map<string, { at: number; ranges: Map<string, string> | undefined }>();
/** How long a manifest that was read is used, in milliseconds: an editor keeps ESLint running for days. */
const BELIEVED_MS = 5_000;

/** Settings that replace what the manifests say: `settings: { 'express-hangup': { express: 4 } }`. */
export interface ProjectSettings {
  readonly express?: number;
  /** Whether `hangup()` is known to be mounted in front of every handler. */
  readonly mounted?: boolean;
  /** Whether the project has exception filters of Nest's elsewhere, whose order with another is not seen. */
  readonly hasNestFilters?: boolean;
  /** Whether the apps of this file are parts of another file's app. */
  readonly isPart?: boolean;
  /** Whether the imports that a repair needs are added by the command that applies it. */
  readonly importsAreAdded?: boolean;
}

/** Reads the manifests from a file's folder upwards; the nearest that names a package decides. */
export function projectOf(filename: string, settings: ProjectSettings): Project {
  const manifests = manifestsAbove(dirname(filename));
  const rangeOf = (name: string): string | undefined => manifests.find((each) => each.has(name))?.get(name);
  const version = (name: string): [number, number] | undefined => lowest(rangeOf(name));
  return {
    express: settings.express ?? version('express')?.[0],
    has: (name) => rangeOf(name) !== undefined,
    version,
    known: manifests.length > 0,
  };
}

function manifestsAbove(folder: string): Map<string, string>[] {
  const found: Map<string, string>[] = [];
  for (let current = folder; ; current = dirname(current)) {
    const ranges = rangesIn(current);
    if (ranges !== undefined) found.push(ranges);
    if (dirname(current) === current) return found;
  }
}

function rangesIn(folder: string): Map<string, string> | undefined {
  const known = cache.get(folder);
  const now = Date.now();
  if (known !== undefined && now - known.at < BELIEVED_MS) return known.ranges;
  const ranges = read(join(folder, 'package.json'));
  cache.set(folder, { at: now, ranges });
  return ranges;
}

function read(path: string): Map<string, string> | undefined {
  try {
    const { dependencies, devDependencies, peerDependencies } = JSON.parse(
      readFileSync(path, 'utf8'),
    ) as Manifest;
    return new Map(Object.entries({ ...peerDependencies, ...devDependencies, ...dependencies }));
  } catch {
    // No manifest here, or one that npm could not read either.
    return undefined;
  }
}

function lowest(range: string | undefined): [number, number] | undefined {
  const found = /(\d+)(?:\.(\d+))?/.exec(range?.replace(/^npm:.+@/, '') ?? '');
  return found ? [Number(found[1]), Number(found[2] ?? 0)] : undefined;
}
