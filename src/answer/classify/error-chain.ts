/** How many causes deep a chain is followed, and how many errors are read in all. */
const MAX_DEPTH = 16;
const MAX_ERRORS = 64;

/** The properties of one error, read without trusting it. */
export interface ErrorFacts {
  /** The error itself, for comparing identity. */
  readonly error: object;
  /** `name`, or the empty string; likewise for the other strings. */
  readonly name: string;
  readonly message: string;
  /** The name of its class: some libraries do not set `name`. */
  readonly className: string;
  /** A string in most libraries, a number in gRPC, MongoDB and DOMException. */
  readonly code: string | number | undefined;
  /** The kind of an error in node-fetch and body-parser. */
  readonly type: string;
  /** The system call that failed, in Node's system errors. */
  readonly syscall: string;
  /** `status` or `statusCode`. */
  readonly status: number | undefined;
  readonly isAxiosError: boolean;
  /**
   * The upstream's response, set by HTTP clients; `status` is then its status. superagent sets null if there was
   * none.
   */
  readonly response: unknown;
  /** The server's words in a gRPC error; undefined in any other. */
  readonly grpcDetails: string | undefined;
}

/** Where libraries keep the error behind an error: the standard, Sequelize (both), TypeORM, mongodb and mongoose. */
const INNER = ['cause', 'parent', 'original', 'driverError', 'reason'] as const;

/**
 * An error with all errors behind it and the members of its AggregateErrors, outermost first, at most 16 deep and 64 in all.
 *
 * If the app has given an error an HTTP status of its own (http-errors and the like), the errors behind it are left
 * out: the app has decided. Never throws: each property is read once, and one that throws counts as absent.
 */
export function errorChain(error: unknown): ErrorFacts[] {
  const chain: ErrorFacts[] = [];
  collect(error, 0, chain, new Set());
  return chain;
}

function collect(error: unknown, depth: number, chain: ErrorFacts[], seen: Set<unknown>): void {
  if (!isObject(error) || seen.has(error) || depth > MAX_DEPTH || chain.length >= MAX_ERRORS) return;
  seen.add(error);
  const facts = factsOf(error);
  chain.push(facts);
  if (ownStatus(facts) !== undefined) return;
  for (const key of INNER) collect(read(error, key), depth + 1, chain, seen);
  for (const member of members(read(error, 'errors'))) collect(member, depth + 1, chain, seen);
  for (const server of servers(read(error, 'servers')))
    collect(read(server, 'error'), depth + 1, chain, seen);
  // Prisma: its error of a raw query says only that the query failed, its driver adapter's error says why.
  const meta = read(error, 'meta');
  if (isObject(meta)) collect(read(meta, 'driverAdapterError'), depth + 1, chain, seen);
}

function factsOf(error: object): ErrorFacts {
  const status = read(error, 'status') ?? read(error, 'statusCode');
  const details = read(error, 'details');
  const name = text(read(error, 'name'));
  return {
    error,
    name,
    message: text(read(error, 'message')),
    className: classNameOf(error),
    // `errorCode`: Prisma's error of a failed connection. `kind`: a plain object, the cause of its driver adapters' errors.
    code: stringOrNumber(
      read(error, 'code') ?? read(error, 'errorCode') ?? (name === '' ? read(error, 'kind') : undefined),
    ),
    type: text(read(error, 'type')),
    syscall: text(read(error, 'syscall')),
    status: typeof status === 'number' ? status : undefined,
    isAxiosError: read(error, 'isAxiosError') === true,
    response: read(error, 'response'),
    grpcDetails: typeof details === 'string' && isObject(read(error, 'metadata')) ? details : undefined,
  };
}

/** The 4xx or 5xx that the app itself has given to an error. The status of an upstream's response does not count. */
export function ownStatus({ status, response }: ErrorFacts): number | undefined {
  if (status === undefined || status < 400 || status > 599 || isObject(response)) return undefined;
  return status;
}

/** Reads a property of anything; undefined where there is none, or where reading it throws. */
export function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** Whether a value can have properties: a function can, too. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** mongodb's topology description holds, for each server, the error that makes it unavailable. */
function servers(value: unknown): object[] {
  try {
    return value instanceof Map ? [...value.values()].slice(0, MAX_ERRORS).filter(isObject) : [];
  } catch {
    return [];
  }
}

function classNameOf(error: object): string {
  const constructor = read(error, 'constructor');
  return isObject(constructor) ? text(read(constructor, 'name')) : '';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function stringOrNumber(value: unknown): string | number | undefined {
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

function members(errors: unknown): unknown[] {
  try {
    // Array.prototype.slice on a checked array copies at most MAX_ERRORS members, even if the array claims to be huge.
    return Array.isArray(errors) ? Array.prototype.slice.call(errors, 0, MAX_ERRORS) : [];
  } catch {
    return [];
  }
}
