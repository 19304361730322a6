import type { UpstreamInfo } from '../../answer/fault';
import type { Undici } from '../load-undici';
import type { SignalSource } from './call-signal';
import type { CallPlan } from '../call/call-plan';
import type { WireAttempt } from '../call/wire-attempt';

/** What the transports of an upstream share. */
export interface TransportTools {
  readonly undici: Undici;
  readonly newSignal: () => SignalSource;
}

/** What differs between `fetch()` and `request()`. */
export interface Transport<Response, Headers> {
  /**
   * Sends one try. When `wire` is given up, both the request and the reading of its body have to fail with that reason.
   * @param budgetMs - The budget that the upstream is told; with `Infinity` it is told none.
   * @param canEnd - Whether `wire` can be given up at all.
   */
  send(
    tools: TransportTools,
    wire: WireAttempt,
    plan: CallPlan<Headers>,
    budgetMs: number,
    canEnd: boolean,
  ): Promise<Response>;
  /** The error that the caller gets. */
  errorOf(error: unknown, method: string, info: UpstreamInfo): Error;
  statusOf(response: Response): number;
  headerOf(response: Response, name: string): string | null;
  /** Whether somebody is reading the body. */
  isBeingRead(response: Response): boolean;
  /** Frees the socket of a body that will not be read. undici keeps the socket if the whole body has arrived, or closes it. */
  discard(response: Response): void;
}
