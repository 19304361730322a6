export { hangup, type HangupOptions } from './request/hangup';
export { deadline, type DeadlineOptions } from './request/deadline-guard';
export type { Deadline } from './request/lifetime/deadline';
export type { DeadlineValue } from './request/deadline-value';
export type { InheritOptions } from './request/budget';
export { currentDeadline, currentSignal } from './request/context';
export { detached } from './request/detached';
export type { Methods, PropagateOptions } from './propagate/options';
export { gatewayErrorHandler, type GatewayErrorHandlerOptions } from './answer/gateway-error-handler';
export { classifyError } from './answer/classify/classify-error';
export type { CallSite, FaultCode, GatewayFault, UpstreamInfo } from './answer/fault';
export {
  ClientClosedRequestError,
  DeadlineExceededError,
  HangupError,
  ResponseDestroyedError,
  ResponseStalledError,
  ServerDrainingError,
  type HangupCode,
} from './errors';
export type {
  AbortEvent,
  DetachedEvent,
  DrainEvent,
  FaultEvent,
  LateResponseEvent,
  RetryEvent,
  SettleEvent,
} from './events';
export { drainable, type Drainable } from './server/drain/drainable';
export type { DrainableOptions } from './server/drain/drain-options';
export type { DrainCounts, DrainReport } from './server/drain/drain-report';
export type { ReadinessHandler } from './server/drain/readiness';
export { tuneServer, type ServerTuning, type TuneServerOptions } from './server/tune/tune-server';
export type { TimeoutFinding } from './server/tune/timeout-findings';
