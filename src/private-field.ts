/**
 * Its constructor returns the object that it is given instead of a new one, so a derived class adds its private
 * fields to that object.
 */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- what it is for
class Stamped {
  constructor(object: object) {
    return object;
  }
}

/** One value for each object, kept on the object itself. Unlike a property, it is in no list of keys and in no copy. */
export interface PrivateField<Value> {
  /** The object's value; `undefined` for an object that was given none. */
  get(object: object): Value | undefined;
  set(object: object, value: Value): void;
}

/**
 * Makes a private field that any object can be given, for use in place of a WeakMap. V8's collections of the young
 * generation keep all values of a WeakMap, and what they refer to, until the next full collection: a request that a value
 * refers to would live a thousand times as long as it should.
 */
export function privateField<Value>(): PrivateField<Value> {
  /** Objects that cannot be extended: in later versions of V8 they can have no private field either. */
  const others = new WeakMap<object, Value>();

  return class Field extends Stamped {
    #value: Value;

    constructor(object: object, value: Value) {
      super(object);
      this.#value = value;
    }

    static get(object: object): Value | undefined {
      if (#value in object) return object.#value;
      return isExtensible(object) ? undefined : others.get(object);
    }

    static set(object: object, value: Value): void {
      if (#value in object) object.#value = value;
      else if (isExtensible(object)) new Field(object, value);
      else others.set(object, value);
    }
  };
}

/** A Proxy's trap may throw: what an app throws may be such a thing. */
function isExtensible(object: object): boolean {
  try {
    return Object.isExtensible(object);
  } catch {
    return true;
  }
}
