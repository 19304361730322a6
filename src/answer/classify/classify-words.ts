import type { FaultCode } from '../fault';
import type { ErrorFacts } from './error-chain';
import { CONNECT_CODES, SOCKET_CODES, type Rules } from './classify-tables';

/*
 * Errors that can be recognised only by a message that also holds something variable: an address, a statement, a
 * number. Each is recognised by the fixed part of the message, and by its name if it has one.
 */

/** The fault that an error's message shows. */
export function ofWords(error: ErrorFacts): FaultCode | undefined {
  return ofElastic(error) ?? ofDeno(error) ?? ofNodeRedis(error) ?? ofKnex(error) ?? ofMongoose(error);
}

/** @elastic/transport keeps only the message of undici's or Node's error. */
function ofElastic({ name, message }: ErrorFacts): FaultCode | undefined {
  if (name !== 'ConnectionError') return undefined;
  if (/^(?:other side closed|socket hang up)/.test(message)) return 'UPSTREAM_RESET';
  if (/^(?:The|This) operation was aborted/.test(message)) return 'OPERATION_ABORTED';
  const [, call = '', code = ''] = /^(connect|read|write|getaddrinfo) (E[A-Z_]+)/.exec(message) ?? [];
  if (call === 'getaddrinfo') return 'UPSTREAM_UNREACHABLE';
  return lookUp(SOCKET_CODES, code) ?? (call === 'connect' ? lookUp(CONNECT_CODES, code) : undefined);
}

function lookUp(rules: Rules, code: string): FaultCode | undefined {
  const rule = rules.get(code);
  return typeof rule === 'string' ? rule : undefined;
}

/** Linux's error numbers: broken pipe, connection reset, timeout, connection refused. */
const OS_ERRORS: ReadonlyMap<string, FaultCode> = new Map([
  ['32', 'UPSTREAM_RESET'],
  ['104', 'UPSTREAM_RESET'],
  ['110', 'UPSTREAM_TIMEOUT'],
  ['111', 'UPSTREAM_REFUSED'],
]);

/** The text before this is an address, which may hold any words. */
const DENO = 'client error (';

/** Deno's fetch: the cause of its `fetch failed` is an Error whose message is that of the Rust library. */
function ofDeno({ message }: ErrorFacts): FaultCode | undefined {
  if (message.startsWith('error reading a body from connection')) return 'UPSTREAM_RESET';
  const [, number = ''] = /^[A-Z][A-Za-z ]+ \(os error (\d+)\)$/.exec(message) ?? [];
  if (number !== '') return OS_ERRORS.get(number);
  const at = message.startsWith('error sending request ') ? message.lastIndexOf(DENO) : -1;
  if (at < 0) return undefined;
  const words = message.slice(at + DENO.length);
  if (/timed out|os error 110\b/.test(words)) return 'UPSTREAM_TIMEOUT';
  if (/Connection refused/.test(words)) return 'UPSTREAM_REFUSED';
  if (words.startsWith('Connect)')) return 'UPSTREAM_UNREACHABLE';
  if (/closed before|reset|broken pipe/i.test(words)) return 'UPSTREAM_RESET';
  return /parsed|invalid/.test(words) ? 'UPSTREAM_INVALID_RESPONSE' : undefined;
}

/** The errors of node-redis have classes but no names. That of a command's timeout has no message either. */
function ofNodeRedis({ name, className, message }: ErrorFacts): FaultCode | undefined {
  if (name !== 'Error') return undefined;
  if (className === 'TimeoutError' && message === '') return 'UPSTREAM_TIMEOUT';
  return message.startsWith('Socket timeout timeout. Expecting data') ? 'UPSTREAM_TIMEOUT' : undefined;
}

/** Knex writes the statement in front of the message of pg's error. */
function ofKnex({ message }: ErrorFacts): FaultCode | undefined {
  if (message.endsWith(' - Connection terminated unexpectedly')) return 'UPSTREAM_RESET';
  return message.endsWith(' - Query read timeout') ? 'UPSTREAM_TIMEOUT' : undefined;
}

/** Mongoose buffers an operation until there is a connection, for at most `bufferTimeoutMS`. */
function ofMongoose({ name, message }: ErrorFacts): FaultCode | undefined {
  const isBuffering =
    name === 'MongooseError' && /^Operation `[^`]*` buffering timed out after \d+ms$/.test(message);
  return isBuffering ? 'UPSTREAM_TIMEOUT' : undefined;
}
