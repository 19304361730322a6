import type { Socket } from 'node:net';
import { checkOptionNames, nonNegative } from '../check-options';
import { Listener } from '../listener';
import {
  UpstreamLog,
  type Closing,
  type UpstreamAttempt,
  type UpstreamSocket,
} from '../upstream/upstream-log';
import { chosenTcpFault, type ChosenTcpFault, type TcpFault } from './tcp-faults';
import { TcpLink, type LinkParts } from './tcp-link';

/** Which attempt gets which fault: one fault for all; a script whose last entry is repeated; or a function of the attempt. */
export type TcpFaultChoice =
  TcpFault | readonly TcpFault[] | ((attempt: UpstreamAttempt) => TcpFault | undefined);

/** The options of `faultyTcp()`. */
export interface FaultyTcpOptions {
  /** Where the real server listens: `'127.0.0.1:5432'`, `'postgres://user@127.0.0.1:5432/db'`, or `{ host, port }`. */
  target: string | URL | { host?: string; port: number };
  /** Which attempt gets which fault. Default `ok`. */
  fault?: TcpFaultChoice;
  /** The port to listen on. Default 0: any free port. */
  port?: number;
  /** The longest time that the waiting methods wait, in milliseconds. Default 5000. */
  patience?: number;
}

/** A proxy on loopback in front of a TCP server. It fails on demand and records its attempts and connections. */
export interface FaultyTcp extends AsyncDisposable {
  /** The target's URL with the proxy's address in it; `tcp://127.0.0.1:41234` if the target was not a URL. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly speaks: 'tcp';
  /**
   * What clients have sent, in order. The list and its entries are kept up to date. The proxy does not know the protocol, so
   * an attempt is all that a client sends until something comes back. Its method is `TCP`. A connection's greeting is an
   * attempt as well.
   */
  readonly attempts: readonly UpstreamAttempt[];
  /** Every connection that was accepted, in order. The list and its entries are kept up to date. */
  readonly connections: readonly UpstreamSocket[];
  /** How many connections are open. */
  readonly sockets: number;
  /** Sets the fault for the attempts that begin from now on; `undefined` is `ok`. */
  use(fault: TcpFaultChoice | undefined): void;
  /** Closes every connection and refuses new ones (ECONNREFUSED) until `accept()`. */
  refuse(): Promise<void>;
  /** Accepts connections again, on the same port. */
  accept(): Promise<void>;
  /** Resolves to the next attempt that no earlier call has returned. It may have come already. */
  nextAttempt(): Promise<UpstreamAttempt>;
  /** Waits until a connection, or the connection of an attempt, is closed. Resolves to how it was closed, and by whom. */
  untilClosed(what: UpstreamAttempt | UpstreamSocket): Promise<Closing>;
  /** Waits until an attempt has been answered, or was cut before that. Resolves to its `state` then. */
  untilOver(attempt: UpstreamAttempt): Promise<Exclude<UpstreamAttempt['state'], 'running'>>;
  /** Waits until no attempt is running. */
  idle(): Promise<void>;
  /** Waits until every connection is closed. */
  allClosed(): Promise<void>;
  /** Forgets what is over. A long run needs this to keep its memory small. */
  forget(): void;
  /** Closes everything except the target. Nothing of it keeps the process alive afterwards. */
  close(): Promise<void>;
}

/**
 * Starts a proxy on 127.0.0.1 in front of a real PostgreSQL, MySQL, Redis or any other TCP server. It passes everything on
 * until it is told to fail. Throws a TypeError for an invalid target or fault.
 */
export async function faultyTcp(options: FaultyTcpOptions): Promise<FaultyTcp> {
  checkOptionNames('faultyTcp()', options, ['target', 'fault', 'port', 'patience']);
  const target = targetOf(options.target);
  const log = new UpstreamLog(nonNegative('faultyTcp(): patience', options.patience, 5000));
  const plan = new TcpFaultPlan(options.fault);
  const parts: LinkParts = { log, target, faultFor: (attempt) => plan.for(attempt) };
  const listener = new Listener(
    (client) => serve(client, parts),
    nonNegative('faultyTcp(): port', options.port, 0),
  );
  await listener.open();
  const shut = async (closing: Promise<void>): Promise<void> => {
    for (const { closed, destroy } of log.sockets) if (!closed) destroy();
    await closing;
  };
  const close = async (): Promise<void> => {
    await shut(listener.close());
    log.close();
  };
  return {
    ...{ url: urlOf(options.target, listener.port), host: '127.0.0.1', port: listener.port, speaks: 'tcp' },
    ...{ attempts: log.attempts, connections: log.sockets },
    get sockets() {
      return log.open();
    },
    use: (fault) => {
      plan.use(fault);
      log.passOver();
    },
    refuse: () => shut(listener.refuse()),
    accept: () => listener.open(),
    nextAttempt: () => log.nextAttempt(),
    untilClosed: (what) => log.untilClosed(what),
    untilOver: (attempt) => log.untilOver(attempt),
    idle: () => log.idle(),
    allClosed: () => log.allClosed(),
    forget: () => log.forget(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function serve(client: Socket, parts: LinkParts): void {
  const { log } = parts;
  const record = log.opened();
  record.destroy = () => {
    log.socketClosed(record, 'upstream', 'fin');
    client.destroy();
  };
  client.on('end', () => log.socketClosed(record, 'client', 'fin'));
  client.on('error', () => log.socketClosed(record, 'client', 'rst'));
  client.on('close', () => log.socketClosed(record, 'client', 'fin'));
  new TcpLink(client, record, parts);
}

/** Chooses the fault of each attempt. */
class TcpFaultPlan {
  #choice: TcpFaultChoice | undefined;
  #played = 0;

  constructor(choice: TcpFaultChoice | undefined) {
    this.use(choice);
  }

  use(choice: TcpFaultChoice | undefined): void {
    if (choice !== undefined && typeof choice !== 'function') {
      const list = isScript(choice) ? choice : [choice];
      if (list.length === 0) throw new TypeError('faultyTcp(): a script of faults needs at least one entry.');
      list.forEach(chosenTcpFault);
    }
    this.#choice = choice;
    this.#played = 0;
  }

  for(attempt: UpstreamAttempt): ChosenTcpFault {
    const choice = this.#choice;
    if (choice === undefined) return chosenTcpFault('ok');
    if (typeof choice === 'function') return chosenTcpFault(choice(attempt) ?? 'ok');
    if (!isScript(choice)) return chosenTcpFault(choice);
    return chosenTcpFault(choice[Math.min(this.#played++, choice.length - 1)] ?? 'ok');
  }
}

function isScript(choice: TcpFaultChoice): choice is readonly TcpFault[] {
  return Array.isArray(choice);
}

const USUAL_PORTS: Record<string, number> = {
  'postgres:': 5432,
  'postgresql:': 5432,
  'mysql:': 3306,
  'mariadb:': 3306,
  'redis:': 6379,
  'mongodb:': 27017,
  'amqp:': 5672,
};

function targetOf(target: FaultyTcpOptions['target']): { host: string; port: number } {
  const found = typeof target === 'string' || target instanceof URL ? addressIn(String(target)) : target;
  const { host = '127.0.0.1', port = NaN } = (found as typeof found | null | undefined) ?? {};
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new TypeError(
      `faultyTcp(): target is ${JSON.stringify(target)}, but must be "host:port", a URL with a port, or { host, port }.`,
    );
  }
  return { host, port };
}

function addressIn(text: string): { host: string; port: number } {
  if (!URL.canParse(text) || !text.includes('://')) {
    const [host = '', port = ''] = text.split(/:(?=\d+$)/);
    return { host, port: Number(port) };
  }
  const url = new URL(text);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (USUAL_PORTS[url.protocol] ?? 0),
  };
}

/** The target's URL with the proxy's address in it, so that an app needs only this one setting. */
function urlOf(target: FaultyTcpOptions['target'], port: number): string {
  const text = typeof target === 'string' || target instanceof URL ? String(target) : '';
  if (!text.includes('://') || !URL.canParse(text)) return `tcp://127.0.0.1:${port}`;
  return text.replace(
    /^([^:]+:\/\/(?:[^@/]*@)?)[^/?#]*/,
    (_all, before: string) => `${before}127.0.0.1:${port}`,
  );
}
