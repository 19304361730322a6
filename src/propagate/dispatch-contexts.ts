import { currentContext, runInContext, type RequestContext } from '../request/context';

/** Who began a call of undici, and whether undici has made a request of it yet. */
interface Origin {
  readonly context: RequestContext | undefined;
  isCreated: boolean;
  readonly outer: Origin | undefined;
}

type Dispatch = (this: object, options: unknown, handler: unknown) => unknown;

interface DispatcherPrototype {
  dispatch: Dispatch;
}

/** Where each loaded copy of undici has the `dispatch()` that its clients, pools and agents share. */
const SHARED_DISPATCH = /[\\/]undici[\\/]lib[\\/](?:dispatcher[\\/])?dispatcher-base\.js$/;
const GLOBAL_DISPATCHERS = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')];

/**
 * Remembers for each call of undici in which context it began. A pool with a limit of connections keeps what is too much
 * and makes the request when a connection is free, in the context of that event; what is tried again is dispatched by a
 * timer. By then the current context is nobody's, or another request's.
 */
export class DispatchContexts {
  private readonly origins = new WeakMap<object, Origin>();
  private readonly knownCopies = new WeakSet();
  private readonly patched = new Map<DispatcherPrototype, Dispatch>();
  private dispatching: Origin | undefined = undefined;
  private isActive = true;

  constructor() {
    this.patchLoaded();
  }

  /** undici has made a request. The first one of a copy shows that the copy is there. */
  created(request: object): void {
    for (let origin = this.dispatching; origin !== undefined; origin = origin.outer) origin.isCreated = true;
    if (this.knownCopies.has(request.constructor)) return;
    this.knownCopies.add(request.constructor);
    this.patchLoaded();
  }

  /** Puts the originals back. */
  restore(): void {
    this.isActive = false;
    for (const [prototype, ours] of this.patched) {
      if (prototype.dispatch === ours) prototype.dispatch = originalOf(ours);
    }
    this.patched.clear();
  }

  private patchLoaded(): void {
    for (const prototype of loadedPrototypes()) {
      if (!this.patched.has(prototype)) this.patched.set(prototype, this.patch(prototype));
    }
  }

  private patch(prototype: DispatcherPrototype): Dispatch {
    const original = prototype.dispatch;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- `this` is the dispatcher inside
    const contexts = this;
    const dispatch: Dispatch = function (options, handler) {
      if (!contexts.isActive || typeof handler !== 'object' || handler === null)
        return original.call(this, options, handler);
      return contexts.dispatch(handler, () => original.call(this, options, handler));
    };
    ORIGINALS.set(dispatch, original);
    prototype.dispatch = dispatch;
    return dispatch;
  }

  private dispatch(handler: object, run: () => unknown): unknown {
    const outer = this.dispatching;
    const origin = this.originOf(handler, outer);
    this.dispatching = origin;
    try {
      return origin.context === currentContext() ? run() : runInContext(origin.context, run);
    } finally {
      this.dispatching = outer;
    }
  }

  private originOf(handler: object, outer: Origin | undefined): Origin {
    const context = currentContext();
    const known = this.origins.get(handler);
    // A handler whose request had been made and that now comes with another request's context serves several calls.
    if (known && !(known.isCreated && context !== undefined)) return known;
    const origin = { context, isCreated: false, outer };
    this.origins.set(handler, origin);
    return origin;
  }
}

const ORIGINALS = new WeakMap<Dispatch, Dispatch>();

function originalOf(ours: Dispatch): Dispatch {
  return ORIGINALS.get(ours) ?? ours;
}

function loadedPrototypes(): DispatcherPrototype[] {
  const ofGlobals = GLOBAL_DISPATCHERS.map((symbol) => sharedDispatchOf((globalThis as never)[symbol]));
  // A bundle has no cache of modules.
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

/** The prototype on which a dispatcher's `dispatch()` is. */
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
