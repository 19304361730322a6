import type { ServerResponse } from 'node:http';
import type { Lifetime } from '../lifetime/lifetime';
import { lifetimeBehind } from '../lifetime/lifetime-of';
import { isBun } from '../lifetime/runtime';
import { privateField, Stamped } from '../../private-field';
import { isHttp2 } from '../lifetime/who-closed';

/**
 * The gate: every write to a response passes through it, and `lifetime.speaker` says whose writes are let through.
 *
 * Middleware such as express-session and compression replace `res.end` and `res.write`, and call the replaced functions
 * later: when a store has answered, when a block is compressed. So the gate is at the bottom, on the object that all
 * responses of an Express copy inherit from (`express.response`). The functions that a middleware replaces are the
 * gate's, and the gate calls Node's.
 */
type Method = (this: ServerResponse, ...args: never[]) => unknown;

const GATED = ['write', 'end', 'writeHead', 'flushHeaders'] as const;

/** Node's methods that lie behind the gate, for a response of any class. */
interface Below {
  write: (this: ServerResponse, chunk?: unknown, encoding?: unknown, callback?: unknown) => boolean;
  end: (this: ServerResponse, chunk?: unknown, encoding?: unknown, callback?: unknown) => ServerResponse;
  writeHead: (this: ServerResponse, status: number, reason?: unknown, headers?: unknown) => ServerResponse;
  flushHeaders: (this: ServerResponse) => void;
  destroy: (this: ServerResponse, error?: Error) => ServerResponse;
}

/** Marks what has a gate, a response or a prototype that leads to one, and the methods of gates. */
class GateStamp extends Stamped {
  readonly #hasGate = true;

  static isOn(object: object): boolean {
    return #hasGate in object;
  }
}

/** Puts the gate under a response, once for each copy of Express; without Express, on the response itself. */
export function gateResponse(res: ServerResponse): void {
  const prototype = Object.getPrototypeOf(res) as object;
  if (GateStamp.isOn(prototype)) return;
  const base = baseOf(prototype);
  if (base === undefined) {
    if (!GateStamp.isOn(res)) buildGate(res, gateUnder(res, prototype));
  } else {
    if (!GateStamp.isOn(base)) buildGate(base, gateOfExpress(base));
    if (base !== prototype) new GateStamp(prototype);
  }
}

/**
 * `express.response` (or `express.request`): the last prototype before Node's own. Node's own prototype is the
 * first with a `constructor` property.
 */
export function baseOf(prototype: object): object | undefined {
  let base: object | undefined;
  for (let object = prototype; !Object.hasOwn(object, 'constructor');) {
    base = object;
    object = Object.getPrototypeOf(object) as object;
  }
  return base;
}

/** Node's own methods of a response, past the gate and every middleware. */
export function nodeMethods(res: ServerResponse): Below {
  // A mock has only its own methods.
  if (!Object.hasOwn(res, '_header') && !isHttp2(res.req)) return res as unknown as Below;
  let node: object | undefined;
  for (let object = prototypeOf(res); object !== null; object = prototypeOf(object)) {
    // A class of the app's has a constructor, too, and may inherit from a gate.
    if (GateStamp.isOn(object)) node = undefined;
    else if (node === undefined && Object.hasOwn(object, 'constructor')) node = object;
  }
  return node as Below;
}

function prototypeOf(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null;
}

/**
 * The methods behind the gate. They are looked up for each call, because light-my-request puts its own on the prototype.
 * What stands on the object itself is kept: the gate of another copy of this package, which has to hear of its responses' ends.
 */
function behind(target: object): () => Below {
  const own = GATED.filter((name) => isForeign(Object.getOwnPropertyDescriptor(target, name)));
  if (own.length === 0) return () => Object.getPrototypeOf(target) as Below;
  const descriptors = own.map((name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const);
  const kept = Object.create(
    Object.getPrototypeOf(target) as object,
    Object.fromEntries(descriptors) as PropertyDescriptorMap,
  ) as Below;
  return () => kept;
}

/** http2-express-bridge copies all of `express.response`, and the gate on it, to the prototype of its HTTP/2 responses. */
function isForeign(descriptor: Property | undefined): boolean {
  return descriptor !== undefined && !GateStamp.isOn(methodOf(descriptor));
}

interface Property {
  readonly get?: unknown;
  readonly value?: unknown;
}

function methodOf({ get, value }: Property): object {
  return Object(get ?? value) as object;
}

/** A response without a lifetime may have only a copy of this gate: what lies behind that one is another class's. */
function gateOfExpress(base: object): PropertyDescriptorMap {
  const below = behind(base);
  return gateOver(below, (res) =>
    Object.prototype.isPrototypeOf.call(base, res) ? below() : nodeMethods(res),
  );
}

function buildGate(target: object, gate: PropertyDescriptorMap): void {
  Object.defineProperties(target, gate);
  if (isBun) keepHeaderSent(target);
  new GateStamp(target);
}

/**
 * For use without Express. All responses of a class share it: with accessors of its own each would live until the next full
 * garbage collection.
 */
const gates = privateField<PropertyDescriptorMap>();

function gateUnder(res: ServerResponse, prototype: object): PropertyDescriptorMap {
  if (GATED.some((name) => Object.hasOwn(res, name))) return gateOver(behind(res));
  return gates.getOrInsertComputed(prototype as Below, gateTo);
}

/** In a function of its own, because functions keep all variables around them that any of these functions uses. */
function gateTo(below: Below): PropertyDescriptorMap {
  return gateOver(() => below);
}

/** @param belowFor - What lies behind the gate for a response without a lifetime. */
function gateOver(
  below: () => Below,
  belowFor: (res: ServerResponse) => Below = below,
): PropertyDescriptorMap {
  function write(this: ServerResponse, chunk: unknown, encoding: unknown, callback: unknown): unknown {
    const lifetime = lifetimeBehind(this);
    if (lifetime === undefined) return belowFor(this).write.call(this, chunk, encoding, callback);
    if (lifetime.speaker === 'handler') return below().write.call(this, chunk, encoding, callback);
    return admits(lifetime, this.statusCode)
      ? pass(lifetime, this, below().write, [chunk, encoding, callback])
      : true;
  }
  function writeHead(this: ServerResponse, status: number, reason: unknown, headers: unknown): unknown {
    const lifetime = lifetimeBehind(this);
    if (lifetime === undefined) return belowFor(this).writeHead.call(this, status, reason, headers);
    if (lifetime.speaker !== 'handler' && !lifetime.isPassing && !admits(lifetime, status)) return this;
    const result = below().writeHead.call(this, status, reason, headers);
    lifetime.onHead?.();
    return result;
  }
  function flushHeaders(this: ServerResponse): void {
    const lifetime = lifetimeBehind(this);
    if (lifetime === undefined) belowFor(this).flushHeaders.call(this);
    else if (lifetime.speaker === 'handler') below().flushHeaders.call(this);
    else if (admits(lifetime, this.statusCode)) pass(lifetime, this, below().flushHeaders, []);
  }
  const gate = {
    write: hidden(write),
    writeHead: hidden(writeHead),
    flushHeaders: hidden(flushHeaders),
    end: gatedEnd(below, belowFor),
  };
  for (const property of Object.values<Property>(gate)) new GateStamp(methodOf(property));
  return gate;
}

/** Bun never sets `_headerSent`, which shows that a head has left and is not held back. So on Bun the gate sets it. */
function keepHeaderSent(target: object): void {
  for (const name of ['write', 'flushHeaders'] as const) {
    const method = (target as Record<typeof name, Method>)[name];
    define(target, name, function (...args: never[]) {
      const result = method.apply(this, args);
      if (this.headersSent) (this as Outgoing)._headerSent = true;
      return result;
    });
  }
}

function define(target: object, name: string, value: Method): void {
  Object.defineProperty(target, name, hidden(value));
}

function hidden(value: Method): PropertyDescriptor {
  return { configurable: true, enumerable: false, writable: true, value };
}

/**
 * `end` is an accessor, so that a middleware's replacement of `res.end` can be wrapped. The wrapper notes that
 * `end()` was called, even if the middleware still holds that call back.
 */
function gatedEnd(below: () => Below, belowFor: (res: ServerResponse) => Below): PropertyDescriptor {
  function end(
    this: ServerResponse,
    chunk?: unknown,
    encoding?: unknown,
    callback?: unknown,
  ): ServerResponse {
    const lifetime = lifetimeBehind(this);
    if (lifetime === undefined) return belowFor(this).end.call(this, chunk, encoding, callback);
    if (lifetime.speaker === 'handler') {
      const result = below().end.call(this, chunk, encoding, callback);
      if (!lifetime.isEnded) lifetime.ended();
      return result;
    }
    if (admits(lifetime, this.statusCode)) {
      pass(lifetime, this, below().end, [chunk, encoding, callback]);
      lifetime.ended();
    }
    return this;
  }
  return {
    configurable: true,
    enumerable: false,
    get: () => end,
    set(this: ServerResponse, value: unknown) {
      const isWrapper = typeof value === 'function' && value !== end;
      Object.defineProperty(this, 'end', {
        configurable: true,
        enumerable: true,
        writable: true,
        value: isWrapper ? heldBack(value as Method) : value,
      });
    },
  };
}

function heldBack(wrapper: Method): Method {
  return function end(this: ServerResponse, ...args: never[]) {
    const lifetime = lifetimeBehind(this);
    if (lifetime !== undefined) lifetime.isEndCalled = true;
    return wrapper.apply(this, args);
  };
}

function admits(lifetime: Lifetime, status: number): boolean {
  if (lifetime.speaker === 'middleware') return true;
  if (lifetime.speaker !== 'grace') return false;
  if (status >= 400) return true;
  lifetime.refused();
  return false;
}

/**
 * Calls a method of Node. The methods that Node itself calls meanwhile (`end()` calls `writeHead()`) are not late
 * calls. It takes no closure: one in `end()` would cost every request an object.
 */
function pass<Args extends unknown[], Result>(
  lifetime: Lifetime,
  res: ServerResponse,
  method: (this: ServerResponse, ...args: Args) => Result,
  args: Args,
): Result {
  const wasPassing = lifetime.isPassing;
  lifetime.passes += 1;
  lifetime.isPassing = true;
  try {
    return method.apply(res, args);
  } finally {
    lifetime.isPassing = wasPassing;
  }
}

type WriteHead = (...args: unknown[]) => unknown;

/** Gets every head before it is written, and calls `writeHead` with the head that it makes of it. */
export type HeadWrapper = (writeHead: WriteHead, args: unknown[]) => unknown;

const headWrappers = privateField<HeadWrapper>();

/**
 * Wraps `res.writeHead`. Every way to send headers ends there: `end()`, `write()` and `flushHeaders()` call it on the
 * response. When an error handler answers, another middleware's replacement of `writeHead` is skipped. This one is not.
 */
export function wrapHead(res: ServerResponse, wrapper: HeadWrapper): void {
  headWrappers.set(res, wrapper);
  const writeHead = res.writeHead.bind(res) as WriteHead;
  define(res, 'writeHead', (...args: never[]) => wrapper(writeHead, args));
}

/**
 * From now on only the error handlers write to the response. Their calls go to Node, past every middleware. Writes
 * that a middleware still holds back are no longer let through.
 *
 * So for such an answer a session is not saved, and `on-headers` does not run.
 */
export function handToErrorHandlers(lifetime: Lifetime): void {
  const { res } = lifetime;
  const node = nodeMethods(res);
  lifetime.speaker = 'answer';
  // A mock's own methods stay where they are.
  if ((node as unknown) === res) return;
  for (const name of GATED) {
    const method = ((node as unknown as Record<string, Method>)[name] as Method).bind(res) as WriteHead;
    const wrapper = name === 'writeHead' ? headWrappers.get(res) : undefined;
    define(res, name, (...args: never[]) => {
      const result = pass(lifetime, res, wrapper ? () => wrapper(method, args) : method, args);
      if (name === 'end' && !lifetime.isEnded) lifetime.ended();
      return result;
    });
  }
}

interface Outgoing {
  _headerSent?: unknown;
  _header?: unknown;
  _hasBody?: boolean;
  chunkedEncoding?: boolean;
}

/**
 * Whether bytes of a response have left. Node holds a head back until a part of the body is written or
 * `flushHeaders()` is called. Until then `headersSent` may be true although nothing is on the wire.
 */
export function hasStarted(res: ServerResponse): boolean {
  const { _headerSent: isHeadSent } = res as Outgoing;
  return typeof isHeadSent === 'boolean' ? isHeadSent : res.headersSent;
}

/** Discards a head that Node still holds back. Gives whether another head can be sent now. */
export function takeBackHead(res: ServerResponse): boolean {
  if (res.headersSent && !hasStarted(res)) {
    (res as Outgoing)._header = null;
    // The discarded head has decided whether there is a body (a 204 has none). Decide it anew.
    (res as Outgoing)._hasBody = res.req.method !== 'HEAD';
    res.chunkedEncoding = false;
  }
  return !res.headersSent;
}
