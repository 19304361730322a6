import type { Duplex } from 'node:stream';
import { checkNames, milliseconds, optionalFunction, wrongType } from '../../options';
import type { DrainReport } from './drain-report';
import { isSignal } from './process-signals';
import type { ReadyCheck } from './readiness';

/** The options of `drainable()`. Durations in milliseconds, each counted from the signal. */
export interface DrainableOptions {
  /** The signals that begin a drain; `[]` for none. Default `['SIGTERM']`: Kubernetes, systemd and Docker send it. */
  signals?: readonly NodeJS.Signals[];
  /**
   * How long new connections are still accepted. Meanwhile load balancers learn that this instance is leaving, from
   * `readiness` or because Kubernetes removes its endpoint. Default 5000 in a Kubernetes pod
   * (`KUBERNETES_SERVICE_HOST` is set), otherwise 0.
   */
  delay?: number;
  /**
   * When the signals of requests that still run abort with `ServerDrainingError`. Requests whose response has not
   * started get 503. Default 25,000.
   */
  timeout?: number;
  /** When the remaining connections are destroyed. Default 3000 after `timeout`: 28,000, below Kubernetes' 30 s. */
  force?: number;
  /** The app's own check for `readiness`: if it gives `false`, throws or rejects, the answer is 503. May be async. */
  ready?: () => unknown;
  /**
   * Called when the listener has closed, with the sockets that were upgraded. Close WebSockets with 1001 and end
   * endless streams here. It is called again for a socket that is upgraded later, or whose upgrade the app accepts
   * later.
   */
  onClosing?: (upgraded: readonly Duplex[]) => unknown;
  /** Called when the last connection has closed. Log the report and close pools here. */
  onDrained?: (report: DrainReport) => unknown;
}

/** What `drainable()` works with, every option filled in. */
export interface DrainSettings {
  signals: readonly NodeJS.Signals[];
  delay: number;
  timeout: number;
  force: number;
  ready: ReadyCheck | undefined;
  onClosing: ((upgraded: readonly Duplex[]) => unknown) | undefined;
  onDrained: ((report: DrainReport) => unknown) | undefined;
}

/** The defaults, in milliseconds. `docs/deploys.md` is tested against them. */
export const DRAIN_DEFAULTS = {
  signals: ['SIGTERM'] as const,
  /** In a Kubernetes pod; 0 elsewhere. */
  delay: 5000,
  /** `hangup()`'s default deadline: requests that are in flight at the signal keep their whole time. */
  timeout: 25_000,
  /** From `timeout` to `force`. Together they are below the 30 s that Kubernetes and Heroku grant. */
  forceAfter: 3000,
} as const;

const NAMES = ['signals', 'delay', 'timeout', 'force', 'ready', 'onClosing', 'onDrained'];

/** Checks the options and fills in the defaults. A phase that is left out follows those that are given. */
export function drainSettings(options: DrainableOptions): DrainSettings {
  const where = 'drainable(): option';
  checkNames('drainable()', options, NAMES);
  const { delay, timeout, force } = phases(options);
  return {
    signals: signalsOf(options.signals ?? DRAIN_DEFAULTS.signals),
    delay,
    timeout,
    force,
    ready: optionalFunction(`${where} "ready"`, options.ready),
    onClosing: optionalFunction(`${where} "onClosing"`, options.onClosing),
    onDrained: optionalFunction(`${where} "onDrained"`, options.onDrained),
  };
}

function phases({ delay, timeout, force }: DrainableOptions): {
  delay: number;
  timeout: number;
  force: number;
} {
  for (const [name, value] of Object.entries({ delay, timeout, force })) {
    if (value !== undefined) milliseconds(`drainable(): option "${name}"`, value);
  }
  const { delay: ownDelay, timeout: ownTimeout, forceAfter } = DRAIN_DEFAULTS;
  const inKubernetes = process.env['KUBERNETES_SERVICE_HOST'] !== undefined;
  const end =
    timeout ?? (force === undefined ? ownTimeout : Math.min(ownTimeout, Math.max(0, force - forceAfter)));
  const phases = {
    delay: delay ?? (inKubernetes ? Math.min(ownDelay, end) : 0),
    timeout: end,
    force: force ?? end + forceAfter,
  };
  if (phases.delay > phases.timeout || phases.timeout > phases.force) {
    const got = `${phases.delay}, ${phases.timeout} and ${phases.force}`;
    throw new RangeError(
      `drainable(): options "delay", "timeout" and "force" are ${got}, but each is counted from the signal and must not be less than the one before.`,
    );
  }
  return phases;
}

function signalsOf(signals: unknown): NodeJS.Signals[] {
  const where = 'drainable(): option "signals"';
  if (!Array.isArray(signals))
    throw wrongType(where, signals, "an array of signal names, such as ['SIGTERM', 'SIGINT']");
  for (const signal of signals as unknown[]) {
    if (!isSignal(signal))
      throw wrongType(`${where}: an entry`, signal, 'the name of a signal that a process can answer');
  }
  return [...new Set(signals as NodeJS.Signals[])];
}
