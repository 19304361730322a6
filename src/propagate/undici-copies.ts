/** `dispatch()` of a dispatcher of undici. Each call goes through it, before a pool queues it or a client sends it. */
export type Dispatch = (this: object, options: unknown, handler: unknown) => unknown;

interface DispatcherPrototype {
  dispatch: Dispatch;
}

/** Called by a patched `dispatch()`; `run` calls the original one. */
export type AroundDispatch = (options: unknown, handler: object, run: () => unknown) => unknown;

/** The file in which each copy of undici has the `dispatch()` that its clients, pools and agents share. */
const SHARED_DISPATCH = /[\\/]undici[\\/]lib[\\/](?:dispatcher[\\/])?dispatcher-base\.js$/;
const GLOBAL_DISPATCHERS = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')];

/**
 * The copies of undici in the process, including Node's own. Their `dispatch()` is patched until `restore()` is
 * called.
 */
export class UndiciCopies {
  private readonly known = new WeakSet();
  private readonly patched = new Map<DispatcherPrototype, { ours: Dispatch; original: Dispatch }>();
  private isActive = true;

  constructor(private readonly around: AroundDispatch) {
    this.patchLoaded();
  }

  /** A request has been made. The first one of a copy shows that the copy is there. */
  saw(request: object): void {
    if (this.known.has(request.constructor)) return;
    this.known.add(request.constructor);
    this.patchLoaded();
  }

  /** Puts the originals back. If other code has patched `dispatch()` since then, ours only calls the original. */
  restore(): void {
    this.isActive = false;
    for (const [prototype, { ours, original }] of this.patched)
      if (prototype.dispatch === ours) prototype.dispatch = original;
    this.patched.clear();
  }

  private patchLoaded(): void {
    for (const prototype of loadedPrototypes()) {
      if (this.patched.has(prototype)) continue;
      const original = prototype.dispatch;
      const ours = this.patchOf(original);
      prototype.dispatch = ours;
      this.patched.set(prototype, { ours, original });
    }
  }

  private patchOf(original: Dispatch): Dispatch {
    const isWanted = (handler: unknown): handler is object =>
      this.isActive && typeof handler === 'object' && handler !== null;
    const { around } = this;
    return function dispatch(options, handler) {
      if (!isWanted(handler)) return original.call(this, options, handler);
      return around(options, handler, () => original.call(this, options, handler));
    };
  }
}

function loadedPrototypes(): DispatcherPrototype[] {
  const ofGlobals = GLOBAL_DISPATCHERS.map((symbol) => sharedDispatchOf((globalThis as never)[symbol]));
  // In a bundle there is no module cache.
  const cache = (require.cache as typeof require.cache | undefined) ?? {};
  const ofCopies = Object.keys(cache)
    .filter((path) => SHARED_DISPATCH.test(path))
    .map((path) => prototypeOf(cache[path]?.exports));
  return [...ofGlobals, ...ofCopies].filter((found) => found !== undefined);
}

function prototypeOf(exported: unknown): DispatcherPrototype | undefined {
  const { prototype } = (typeof exported === 'function' ? exported : {}) as { prototype?: unknown };
  return isDispatcher(prototype) ? prototype : undefined;
}

/** The prototype that has a dispatcher's `dispatch()`. */
function sharedDispatchOf(dispatcher: unknown): DispatcherPrototype | undefined {
  if (typeof dispatcher !== 'object' || dispatcher === null) return undefined;
  let prototype: unknown = Object.getPrototypeOf(dispatcher);
  while (prototype !== null && !Object.hasOwn(prototype as object, 'dispatch'))
    prototype = Object.getPrototypeOf(prototype);
  return isDispatcher(prototype) ? prototype : undefined;
}

function isDispatcher(value: unknown): value is DispatcherPrototype {
  return typeof value === 'object' && value !== null && typeof (value as never)['dispatch'] === 'function';
}
