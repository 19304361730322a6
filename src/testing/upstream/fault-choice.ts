import type { FaultName } from './fault-names';
import { FAULTS, type FaultSettings } from './faults';
import type { UpstreamAttempt } from './upstream-log';

/** A fault by its name, or with settings: `'hang'`, `{ fault: 'slow', ms: 300 }`. */
export type Fault = FaultName | ({ fault: FaultName } & FaultSettings);

/**
 * Which request gets which fault: one fault for all requests; a script whose last entry is repeated (`['reset', 'ok']`); or
 * a function of the request. If the function returns `undefined`, the request's header or path decides.
 */
export type FaultChoice = Fault | readonly Fault[] | ((attempt: UpstreamAttempt) => Fault | undefined);

/** A fault with all its settings. */
export interface ChosenFault {
  name: FaultName;
  settings: FaultSettings;
}

const SETTINGS = [
  'ms',
  'until',
  'bytes',
  'chunks',
  'status',
  'retryAfter',
  'how',
  'early',
  'times',
  'headers',
  'body',
] as const satisfies (keyof FaultSettings)[];

function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FAULTS, name);
}

function faultNamed(name: string): FaultName {
  if (isFaultName(name)) return name;
  const hint =
    name === 'refuse'
      ? 'A connection is refused before there is a request: call refuse(), and accept() afterwards.'
      : `Known faults: ${Object.keys(FAULTS).join(', ')}.`;
  throw new TypeError(`There is no fault "${name}". ${hint}`);
}

/** Checks a fault that was given in code, and adds its defaults. */
export function chosen(fault: Fault): ChosenFault {
  if (typeof fault === 'string') return withDefaults(faultNamed(fault), {});
  const { fault: name, ...settings } = fault;
  for (const key of Object.keys(settings)) {
    if (!SETTINGS.some((known) => known === key)) {
      throw new TypeError(
        `Fault "${name}": there is no setting "${key}". Known settings: ${SETTINGS.join(', ')}.`,
      );
    }
  }
  return withDefaults(faultNamed(name), settings);
}

function withDefaults(name: FaultName, settings: FaultSettings): ChosenFault {
  return { name, settings: { ...FAULTS[name].settings, ...settings } };
}

/** Reads `reset-body; bytes=100; how=rst`, as it stands in the header `x-fault`. */
function fromHeader(text: string): ChosenFault {
  const [name = '', ...pairs] = text.split(';').map((part) => part.trim());
  return withDefaults(faultNamed(name), settingsFrom(new URLSearchParams(pairs.join('&')), true));
}

/** Reads `/any/slow?ms=300`: the first segment that names a fault. Other paths are `ok`. */
function fromPath(path: string): ChosenFault {
  const { pathname, searchParams } = new URL(path, 'http://upstream.invalid');
  const name = pathname.split('/').find(isFaultName);
  return name === undefined ? withDefaults('ok', {}) : withDefaults(name, settingsFrom(searchParams, false));
}

// Unknown names in a query are ignored, because the path belongs to the app. Unknown names in the header are refused: it is
// meant for the upstream only.
function settingsFrom(params: URLSearchParams, strict: boolean): FaultSettings {
  const settings: FaultSettings = {};
  for (const [name, value] of params) {
    if (name === 'how' && (value === 'fin' || value === 'rst')) settings.how = value;
    else if (name === 'early') settings.early = value !== 'false';
    else if (name === 'retryAfter') settings.retryAfter = value;
    else if (
      name === 'ms' ||
      name === 'bytes' ||
      name === 'chunks' ||
      name === 'status' ||
      name === 'times'
    ) {
      settings[name] = wholeNumber(name, value);
    } else if (strict || name === 'how')
      throw new TypeError(`There is no setting "${name}=${value}" for a fault.`);
  }
  return settings;
}

function wholeNumber(name: string, value: string): number {
  if (!/^\d{1,9}$/.test(value))
    throw new TypeError(`The setting "${name}" of a fault is "${value}", not a number.`);
  return Number(value);
}

/** Decides for one request after another which fault it gets. */
export class FaultPlan {
  #choice: FaultChoice | undefined;
  #played = 0;
  readonly #counts = new Map<string, number>();
  readonly #http2: boolean;

  /** @param choice checked at once: a misspelt fault throws a TypeError here and not in the middle of a test. */
  constructor(choice: FaultChoice | undefined, http2: boolean) {
    this.#http2 = http2;
    this.use(choice);
  }

  /** Takes another choice; a script begins from its start. With `undefined`, the header or path of each request decides. */
  use(choice: FaultChoice | undefined): void {
    if (choice !== undefined && typeof choice !== 'function') {
      const list = isScript(choice) ? choice : [choice];
      if (list.length === 0) throw new TypeError('A script of faults needs at least one entry.');
      for (const fault of list) this.#refuseForProtocol(chosen(fault));
    }
    this.#choice = choice;
    this.#played = 0;
    this.#counts.clear();
  }

  /** The fault for this request: by its header `x-fault`, else by the choice in code, else by its path. */
  for(attempt: UpstreamAttempt): ChosenFault {
    const header = attempt.headers['x-fault'];
    const fault =
      header === undefined ? (this.#fromChoice(attempt) ?? fromPath(attempt.path)) : fromHeader(header);
    this.#refuseForProtocol(fault);
    const { times } = fault.settings;
    if (times === undefined) return fault;
    const key = `${fault.name} ${attempt.method} ${attempt.path}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count <= times ? fault : withDefaults('ok', {});
  }

  #fromChoice(attempt: UpstreamAttempt): ChosenFault | undefined {
    const choice = this.#choice;
    if (choice === undefined) return undefined;
    if (typeof choice === 'function') {
      const fault = choice(attempt);
      return fault === undefined ? undefined : chosen(fault);
    }
    if (!isScript(choice)) return chosen(choice);
    const fault = choice[Math.min(this.#played++, choice.length - 1)];
    return fault === undefined ? undefined : chosen(fault);
  }

  #refuseForProtocol({ name }: ChosenFault): void {
    const { http1, http2 } = FAULTS[name];
    if (this.#http2 ? http2 : http1) return;
    throw new TypeError(`There is no fault "${name}" on ${this.#http2 ? 'HTTP/2' : 'HTTP/1.1'}.`);
  }
}

function isScript(choice: Fault | readonly Fault[]): choice is readonly Fault[] {
  return Array.isArray(choice);
}
