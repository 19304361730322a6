/** Checks options when a middleware is made. The error of a wrong one names the option, its value and what is allowed. */

/** The longest delay that Node's timers can hold; a longer one would fire at once. */
export const MAX_MS = 2 ** 31 - 1;

/** The defaults of the core's options, in milliseconds. The README's tables are tested against them. */
export const DEFAULTS = {
  /** Below the 30 s of Heroku and Google's load balancer and the 60 s of nginx and AWS's. */
  deadline: 25_000,
  grace: 50,
  fallback: false,
  stall: false,
  inherit: false,
  context: false,
  propagate: false,
} as const;

function show(value: unknown): string {
  if (typeof value === 'string') return `the string '${value}'`;
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}

/** Makes the TypeError that says which value an option got, and which values it takes. */
export function wrongType(where: string, value: unknown, allowed: string): TypeError {
  const hint =
    typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))
      ? ` Values from the environment are strings: convert it with Number(…).`
      : '';
  return new TypeError(`${where} is ${show(value)}, but must be ${allowed}.${hint}`);
}

/** Refuses anything but an object with known option names. For a misspelt name, the error suggests the likely one. */
export function checkNames(where: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw wrongType(`${where}: the options`, options, 'an object');
  }
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    const likely = names.find((known) => isLike(known, name));
    const hint = likely === undefined ? `Known options: ${names.join(', ')}.` : `Did you mean "${likely}"?`;
    throw new TypeError(`${where}: there is no option "${name}". ${hint}`);
  }
}

function isLike(known: string, name: string): boolean {
  const [a, b] = [known.toLowerCase(), name.toLowerCase()];
  return a === b || b.startsWith(a) || a.startsWith(b) || letters(a) === letters(b);
}

function letters(name: string): string {
  return Array.from(name).sort().join('');
}

/** Checks one number. `allowed` says in words what `fits` accepts. */
export function numberThat(
  where: string,
  value: unknown,
  allowed: string,
  fits: (value: number) => boolean,
): number {
  if (typeof value !== 'number') throw wrongType(where, value, allowed);
  if (!fits(value)) throw new RangeError(`${where} is ${value}, but must be ${allowed}.`);
  return value;
}

/** What a duration may be. */
export interface MillisecondsRule {
  /** The smallest value that makes sense; default 0. */
  min?: number;
  /** What else is allowed, in words: `, or false for none`. */
  or?: string;
}

/** Checks one duration and returns it. */
export function milliseconds(
  where: string,
  value: unknown,
  { min = 0, or = '' }: MillisecondsRule = {},
): number {
  const allowed = `a number of milliseconds from ${min} to ${MAX_MS}${or}`;
  return numberThat(where, value, allowed, (ms) => ms >= min && ms <= MAX_MS);
}

/** Checks one duration that can be switched off with `false`. Zero is refused: it would not mean "off". */
export function millisecondsOrFalse(where: string, value: unknown): number | false {
  if (value === false) return false;
  return milliseconds(where, value, { min: 1, or: ', or false for none' });
}

/** Checks a switch. */
export function boolean(where: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrongType(where, value, 'true or false');
  return value;
}

/** Checks a callback; `undefined` is no callback. */
export function optionalFunction<T>(where: string, value: T): T {
  if (value !== undefined && typeof value !== 'function') throw wrongType(where, value, 'a function');
  return value;
}

/** Refuses `app.use(hangup)` instead of `app.use(hangup())`: Express then passes a request where the options should be. */
export function refuseForgottenCall(name: string, first: unknown, example: string): void {
  if (
    typeof first === 'object' &&
    first !== null &&
    'headers' in first &&
    'method' in first &&
    'url' in first
  ) {
    throw new TypeError(`${name} was given to the app without being called: write ${example}.`);
  }
}
