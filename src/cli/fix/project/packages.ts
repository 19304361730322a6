import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The package that a file belongs to. */
export interface Package {
  readonly folder: string;
  readonly name: string | undefined;
  readonly dependsOn: ReadonlySet<string>;
  /** Whether its `.js` files are ES modules. */
  readonly isModule: boolean;
}

interface Manifest {
  readonly name?: string;
  readonly type?: string;
  readonly dependencies?: Record<string, string>;
}

/** The packages of a repository, by its files: those of workspaces are several. */
export class Packages {
  readonly #root: string;
  readonly #known = new Map<string, Package>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The package of the nearest manifest; the whole repository where there is none. */
  of(file: string): Package {
    return this.#in(dirname(file));
  }

  #in(folder: string): Package {
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    const found = read(folder) ?? this.#outer(folder);
    this.#known.set(folder, found);
    return found;
  }

  #outer(folder: string): Package {
    const isTop = folder === this.#root || dirname(folder) === folder;
    return isTop
      ? { folder, name: undefined, dependsOn: new Set(), isModule: false }
      : this.#in(dirname(folder));
  }
}

function read(folder: string): Package | undefined {
  try {
    const { name, type, dependencies } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    ) as Manifest;
    return { folder, name, dependsOn: new Set(Object.keys(dependencies ?? {})), isModule: type === 'module' };
  } catch {
    // No manifest here, or one that npm could not read either.
    return undefined;
  }
}

/** Whether a package's handlers run in an app that mounts `hangup()`: its own, or one of a package that depends on it. */
export function isBehind(mounted: readonly Package[], { folder, name }: Package): boolean {
  return mounted.some((each) => each.folder === folder || (name !== undefined && each.dependsOn.has(name)));
}
