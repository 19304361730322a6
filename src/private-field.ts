/**
 * Its constructor returns the object that it is given instead of a new one, so a derived class adds its private
 * fields to that object.
 *
 * What is looked up for every request has such a class of its own. The functions of all fields that `privateField()` makes
 * share their type feedback, so V8 cannot compile them for one field: each look-up takes some 20 ns more (Node 24 and 26).
 */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- what it is for
export class Stamped {
  constructor(object: object) {
    return object;
  }
}

/** One value for each object, kept on the object itself. Unlike a property, it is in no list of keys and in no copy. */
export interface PrivateField<Value> {
  /** The object's value; `undefined` for an object that was given none. */
  get(object: object): Value | undefined;
  set(object: object, value: Value): void;
  /** The object's value; if it was given none, the one that is computed is set first. */
  getOrInsertComputed<Key extends object>(object: Key, compute: (object: Key) => Value): Value;
}

/**
 * Makes a private field that any object can be given, for use in place of a WeakMap. V8's collections of the young
 * generation keep all values of a WeakMap, and what they refer to, until the next full collection: a request that a value
 * refers to would live a thousand times as long as it should.
 */
export function privateField<Value>(): PrivateField<Value> {
  /** For objects that take no private field: in later versions of V8 those that cannot be extended. */
  let others: WeakMap<object, Value> | undefined;

  return class Field extends Stamped {
    #value: Value;

    constructor(object: object, value: Value) {
      super(object);
      this.#value = value;
    }

    static get(object: object): Value | undefined {
      return #value in object ? object.#value : others?.get(object);
    }

    static set(object: object, value: Value): void {
      if (#value in object) object.#value = value;
      else Field.add(object, value);
    }

    static getOrInsertComputed<Key extends object>(object: Key, compute: (object: Key) => Value): Value {
      const known = Field.get(object);
      if (known !== undefined) return known;
      const value = compute(object);
      Field.set(object, value);
      return value;
    }

    private static add(object: object, value: Value): void {
      try {
        new Field(object, value);
      } catch {
        others ??= new WeakMap();
        others.set(object, value);
      }
    }
  };
}
