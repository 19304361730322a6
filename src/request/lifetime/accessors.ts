import type { IncomingMessage } from 'node:http';
import { deadlineOf } from './deadline';
import type { Lifetime } from './lifetime';
import { lifetimeOf } from './lifetime-of';
import { privateField, Stamped } from '../../private-field';
import { baseOf } from '../response/response-gate';

/** Marks prototypes from which requests inherit the accessors. */
class AccessorStamp extends Stamped {
  readonly #hasAccessors = true;

  static isOn(prototype: object): boolean {
    return #hasAccessors in prototype;
  }
}

/** For use without Express. All requests of a class share them, as responses share their gate (`gateUnder()`). */
const ownAccessors = privateField<PropertyDescriptorMap>();

/**
 * Defines `req.signal` and `req.deadline`.
 *
 * On Express they are defined once, on the object that all requests of an Express copy inherit from (`express.request`):
 * two properties on each request would cost more than all the rest of this middleware. A request without a lifetime keeps
 * the `req.signal` that it had: none, or Node's own. Without Express both are defined on the request itself.
 */
export function defineAccessors(req: IncomingMessage): void {
  const prototype = Object.getPrototypeOf(req) as object;
  if (AccessorStamp.isOn(prototype)) return;
  const base = baseOf(prototype);
  if (base === undefined) {
    Object.defineProperties(req, ownAccessors.getOrInsertComputed(prototype, accessors));
    return;
  }
  if (!AccessorStamp.isOn(base)) {
    Object.defineProperties(base, accessors(base));
    new AccessorStamp(base);
  }
  if (base !== prototype) new AccessorStamp(prototype);
}

function accessors(target: object): PropertyDescriptorMap {
  return {
    signal: accessor(target, 'signal', (lifetime) => lifetime.signal),
    deadline: accessor(target, 'deadline', deadlineOf),
  };
}

// Node 24.16 and 26.1 brought a `signal` getter without a setter. Ours has a setter, because apps could assign to
// `req.signal` before.
function accessor(target: object, name: string, read: (lifetime: Lifetime) => unknown): PropertyDescriptor {
  const inherited = inheritedFrom(target, name);
  return {
    configurable: true,
    enumerable: false,
    get(this: IncomingMessage) {
      const lifetime = lifetimeOf(this);
      return lifetime ? read(lifetime) : (Reflect.get(inherited, name, this) as unknown);
    },
    set(this: IncomingMessage, value: unknown) {
      Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true });
    },
  };
}

/**
 * The object that has the property already: Node's prototype, or one with the accessor of a second copy of this
 * package.
 */
function inheritedFrom(target: object, name: string): object {
  const own = Object.getOwnPropertyDescriptor(target, name);
  if (own) return Object.defineProperty({}, name, own);
  return Object.getPrototypeOf(target) as object;
}
