import { wrongType } from '../../options';
import { answerSignals } from './answer-signals';
import { Drain } from './drain';
import { drainSettings, type DrainableOptions, type DrainSettings } from './drain-options';
import type { DrainReport } from './drain-report';
import { runHook } from './hooks';
import { readinessHandler, type ReadinessHandler } from './readiness';
import { Traffic, type AnyServer } from '../traffic/traffic';

/** The result of `drainable()`. */
export interface Drainable {
  /** Whether the server is draining or has drained. */
  readonly draining: boolean;
  /** A handler for the load balancer's health check: 200, and 503 from the signal on. For Express or a bare server. */
  readonly readiness: ReadinessHandler;
  /**
   * Begins a drain, as a signal does. Resolves to the report when the last connection has closed, and never
   * rejects.
   */
  readonly drain: () => Promise<DrainReport>;
  /** The phases, in milliseconds from the signal. `tuneServer({ drain })` compares them with the other timeouts. */
  readonly delay: number;
  readonly timeout: number;
  readonly force: number;
}

/**
 * Lets a server (or several) end without losing a request. Call it before the server listens.
 *
 * - On the signal `readiness` answers 503, and every response has `Connection: close`.
 * - After `delay` the listener and the idle connections close. Each busy connection closes right after its answer.
 * - At `timeout` the signals of requests that still run abort with `ServerDrainingError`. Requests whose response has
 *   not started get 503.
 * - At `force`, or by a signal more than a second after the first, connections are destroyed.
 *
 * The process then ends by itself with code 0, or by that second signal.
 *
 * Works for http, https and HTTP/2 servers. Signals begin a drain only while the server listens; before that, Node's
 * default ends the process at once.
 * @throws {TypeError | RangeError} for options that are unknown, wrong or contradict each other.
 */
export function drainable(
  servers: AnyServer | readonly AnyServer[],
  options: DrainableOptions = {},
): Drainable {
  const settings = drainSettings(options);
  const traffics = serversOf(servers).map((server) => new Traffic(server));
  let drain: Drain | undefined;
  const begin = (): Promise<DrainReport> => {
    if (drain === undefined) {
      drain = startDrain(traffics, settings);
      void drain.done.then(stopListening);
    }
    return drain.done;
  };
  const force = (): Promise<DrainReport> => {
    drain?.force();
    return begin();
  };
  const stopListening = answerSignals(
    traffics.map(({ server }) => server),
    settings.signals,
    { begin, force },
  );
  return {
    get draining() {
      return drain !== undefined;
    },
    readiness: readinessHandler(() => drain !== undefined, settings.ready),
    drain: begin,
    delay: settings.delay,
    timeout: settings.timeout,
    force: settings.force,
  };
}

function startDrain(traffics: readonly Traffic[], settings: DrainSettings): Drain {
  const { delay, timeout, force, onClosing, onDrained } = settings;
  const drain = new Drain(traffics, {
    delay,
    timeout,
    force,
    onClosing: (upgraded) => runHook('onClosing', () => onClosing?.(upgraded)),
  });
  void drain.done.then((report) => runHook('onDrained', () => onDrained?.(report)));
  return drain;
}

function serversOf(servers: unknown): AnyServer[] {
  const list: readonly unknown[] = Array.isArray(servers) ? servers : [servers];
  if (list.length === 0) throw wrongType('drainable(): the servers', servers, 'at least one server');
  for (const server of list) {
    if (isServer(server)) continue;
    const hint = typeof server === 'function' ? ': what app.listen() returns, not the app' : '';
    throw wrongType(
      'drainable(): the server',
      server,
      `a server of node:http, node:https or node:http2${hint}`,
    );
  }
  return [...new Set(list as AnyServer[])];
}

function isServer(value: unknown): value is AnyServer {
  // A plain TCP server has neither property. The class cannot be tested: Bun's `http.Server` is not a `net.Server`.
  return (
    typeof value === 'object' && value !== null && ('requestTimeout' in value || 'updateSettings' in value)
  );
}
