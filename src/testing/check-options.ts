/**
 * The checks of this kit's options. They are not shared with the core, because the kit must not depend on the core that it
 * judges.
 */

/** Refuses what is no object, and unknown options. Otherwise a test with a misspelt option would test nothing. */
export function checkOptionNames(where: string, options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || (options as unknown) === null) {
    const given = typeof options === 'function' ? 'a function' : JSON.stringify(options);
    throw new TypeError(`${where}: the options are ${given}, but must be an object.`);
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new TypeError(`${where}: there is no option "${name}". Known options: ${names.join(', ')}.`);
    }
  }
}

/** Checks that a value is one of a few; `undefined` is the first of them. */
export function oneOf<T extends string>(where: string, value: unknown, allowed: readonly [T, ...T[]]): T {
  if (value === undefined) return allowed[0];
  const found = allowed.find((name) => name === value);
  if (found === undefined) {
    throw new TypeError(`${where} is ${JSON.stringify(value)}, but must be one of: ${allowed.join(', ')}.`);
  }
  return found;
}

/** Checks a number from 0 upwards, a duration in milliseconds or a count; `undefined` is the fallback. */
export function nonNegative(where: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') {
    throw new TypeError(`${where} is ${JSON.stringify(value)}, but must be a number from 0 upwards.`);
  }
  if (!(value >= 0 && value <= 2 ** 31 - 1)) {
    throw new RangeError(`${where} is ${value}, but must be a number from 0 to ${2 ** 31 - 1}.`);
  }
  return value;
}
