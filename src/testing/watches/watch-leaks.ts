import type { EventEmitter } from 'node:events';
import { Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { checkOptionNames } from '../check-options';
import { CallWatch } from './call-watch';
import type { Leak } from './leak';
import { growth, listenerCounts, RequestWatch } from './request-watch';
import { SocketWatch } from './socket-watch';
import { TimerWatch } from './timer-watch';

/** The options of `watchLeaks()`. */
export interface WatchLeaksOptions {
  /** A server whose listeners count as well. Once it is closed, so do its connections. */
  server?: Server;
  /** Long-lived emitters of the application, by name, whose listeners must not grow: `{ pool, process }`. */
  emitters?: Record<string, EventEmitter>;
  /** Count idle connections that a pool or a client keeps for the next request. Default false. */
  idleSockets?: boolean;
  /** Returns true for a leak that is to be ignored. */
  ignore?: (leak: Leak) => boolean;
}

/** A watch that has begun. */
export interface LeakWatch extends Disposable {
  /** What is there now and was not when the watch began. It may still go away. */
  leaks: () => Leak[];
  /**
   * Resolves as soon as nothing is left. After `within` milliseconds (default 2000) it rejects with an Error that names what is
   * left. Both end the watch.
   */
  expectNone: (options?: { within?: number }) => Promise<void>;
  /** Ends the watch without a verdict. */
  stop: () => void;
}

/**
 * Watches what this process opens, sets, adds and begins from now on: sockets, timers (also unref'd ones), listeners on sockets
 * that carry several requests, HTTP/1 requests in flight. Takes the options, or just a server.
 */
export function watchLeaks(what: WatchLeaksOptions | Server = {}): LeakWatch {
  const options = what instanceof Server ? { server: what } : what;
  checkOptionNames('watchLeaks()', options, ['server', 'emitters', 'idleSockets', 'ignore']);
  const { server, emitters = {}, idleSockets = false, ignore } = options;
  const timers = new TimerWatch();
  const sockets = new SocketWatch(server, idleSockets);
  const requests = new RequestWatch();
  const calls = new CallWatch();
  const named = Object.entries(server ? { 'the server': server, ...emitters } : emitters);
  const watched = named.map(([name, emitter]) => ({ name, emitter, before: listenerCounts(emitter) }));
  const leaks = (): Leak[] => {
    const listeners = watched.flatMap(({ name, emitter, before }) => growth(name, before, emitter, 1));
    const { atOnce } = requests;
    const kept = [...sockets.leaks(atOnce), ...timers.leaks(atOnce)];
    const all = [...requests.leaks(), ...calls.leaks(), ...kept, ...listeners];
    return ignore ? all.filter((leak) => !ignore(leak)) : all;
  };
  const stop = (): void => {
    timers.stop();
    sockets.stop();
    requests.stop();
    calls.stop();
  };
  const expectNone = async ({ within = 2000 }: { within?: number } = {}): Promise<void> => {
    try {
      const end = performance.now() + within;
      while (leaks().length > 0 && performance.now() < end) await pause(10);
      const left = leaks();
      if (left.length > 0) throw new Error(sentence(left));
    } finally {
      stop();
    }
  };
  return { leaks, expectNone, stop, [Symbol.dispose]: stop };
}

function sentence(leaks: readonly Leak[]): string {
  const lines = leaks.map(({ what, where }) => `- ${what}${where === undefined ? '' : `\n    at ${where}`}`);
  return `${leaks.length === 1 ? 'One thing was' : `${leaks.length} things were`} left behind:\n${lines.join('\n')}`;
}
