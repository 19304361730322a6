import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express';
import { channels, noteRequestOf, type FaultEvent } from '../events';
import { boolean, checkNames, numberThat, optionalFunction, refuseForgottenCall } from '../options';
import { breakResponse } from '../request/response/break-response';
import { attachLifetime } from '../request/attach-lifetime';
import { superviseAnswer } from '../request/response/end-request';
import {
  answerersView,
  discardLateCalls,
  hearAgain,
  isDiscarding,
  reportLateError,
} from '../request/response/late-calls';
import type { Lifetime } from '../request/lifetime/lifetime';
import { hasStarted, takeBackHead } from '../request/response/response-gate';
import { classifyError } from './classify/classify-error';
import { FAULT_CODES, type FaultCode, type GatewayFault } from './fault';
import { proxyStatusOf } from './proxy-status';
import { prepareAnswer, sendAnswer } from './respond';
import { isThenable } from './thenable';

/**
 * The options of `gatewayErrorHandler()`. An error that one of these functions throws, or rejects with, goes to
 * `next(err)`.
 */
export interface GatewayErrorHandlerOptions {
  /** Sends your own answer; status and headers (`Cache-Control: no-store`, …) are set already. May be async. */
  render?: (fault: GatewayFault, req: Request, res: Response) => unknown;
  /** Other statuses for some codes, from 400 to 599: `{ UPSTREAM_RESET: 503 }`. */
  status?: Partial<Record<FaultCode, number>>;
  /** Called for every fault before it is answered, for logs. Also called when the client has left: see `fault.code`. */
  onFault?: (fault: GatewayFault, req: Request) => void;
  /** Adds a `Proxy-Status` field (RFC 9209): for internal services. Default `false`. */
  proxyStatus?: boolean;
}

/**
 * Makes the error middleware that turns gateway faults into 504, 502 and 503, and passes every other error on. Mount it
 * last. A response that has started is cut, so that the client can see that it is a fragment. A response that has ended
 * is left alone. A client that is gone gets no answer.
 * @throws {TypeError | RangeError} for options that are unknown or wrong.
 */
export function gatewayErrorHandler(options: GatewayErrorHandlerOptions = {}): ErrorRequestHandler {
  refuseForgottenCall('gatewayErrorHandler', options, 'app.use(gatewayErrorHandler())');
  checkOptions(options);
  return function gatewayErrorMiddleware(error: unknown, req, res, next) {
    const lifetime = attachLifetime(req, res);
    if (isDiscarding(lifetime)) {
      reportLateError(lifetime, error);
      return;
    }
    const fault = classifyError(error, req);
    if (fault === undefined) {
      next(error);
      return;
    }
    fault.status = options.status?.[fault.code] ?? fault.status;
    try {
      options.onFault?.(fault, req);
      publish(fault, lifetime);
      actOnFault(fault, lifetime, options, { req, res, next });
    } catch (thrown) {
      next(thrown);
    }
  };
}

interface HandlerArguments {
  req: Request;
  res: Response;
  next: NextFunction;
}

function actOnFault(
  fault: GatewayFault,
  lifetime: Lifetime,
  options: GatewayErrorHandlerOptions,
  to: HandlerArguments,
): void {
  const { req, res } = to;
  switch (outcomeOf(fault, res)) {
    case 'answered':
      answer(fault, lifetime, options, to);
      return;
    case 'broken':
      breakResponse(req, res);
      discardLateCalls(lifetime);
      return;
    case 'discarded':
      // Only the access log reads this status.
      if (!res.headersSent) res.statusCode = fault.status;
  }
}

function outcomeOf({ code }: GatewayFault, res: Response): FaultEvent['outcome'] {
  if (code === 'CLIENT_CLOSED_REQUEST' || res.writableEnded) return 'discarded';
  // A response that had started and was then destroyed is cut already, as by `pipeline(upstream, res)`.
  if (code === 'RESPONSE_DESTROYED' || res.destroyed) return hasStarted(res) ? 'broken' : 'discarded';
  return hasStarted(res) || !takeBackHead(res) ? 'broken' : 'answered';
}

function answer(
  fault: GatewayFault,
  lifetime: Lifetime,
  options: GatewayErrorHandlerOptions,
  to: HandlerArguments,
): void {
  const { req, res, next } = to;
  prepareAnswer(fault, req, res);
  if (options.proxyStatus === true) res.setHeader('Proxy-Status', proxyStatusOf(fault));
  // The answer goes through Express's own methods and the middleware: a session is saved, a body compressed. Only the
  // handler's calls are late from here on.
  if (options.render === undefined) {
    sendAnswer(fault, req, res);
    closeToHandler(lifetime);
    return;
  }
  closeToHandler(lifetime);
  const failed = (thrown: unknown): void => {
    hearAgain(lifetime);
    next(thrown);
  };
  try {
    const rendered = options.render(fault, req, answerersView(lifetime, res));
    if (isThenable(rendered)) rendered.then(undefined, failed);
  } catch (thrown) {
    failed(thrown);
  }
}

/** Discards the handler's later calls. The part of the answer that a middleware holds back is still sent. */
function closeToHandler(lifetime: Lifetime): void {
  if (lifetime.isEnded || lifetime.res.destroyed) {
    discardLateCalls(lifetime);
    return;
  }
  if (lifetime.speaker !== 'answer') lifetime.speaker = 'middleware';
  lifetime.onEnded = silence;
  discardLateCalls(lifetime);
  superviseAnswer(lifetime);
}

function silence(lifetime: Lifetime): void {
  lifetime.speaker = 'nobody';
}

function publish(fault: GatewayFault, lifetime: Lifetime): void {
  if (!channels.fault.hasSubscribers) return;
  const { code, status, cause: error, upstream } = fault;
  const outcome = outcomeOf(fault, lifetime.res as Response);
  const event: FaultEvent = { ...lifetime.describe(), code, status, outcome, error, upstream };
  noteRequestOf(event, lifetime.req);
  channels.fault.publish(event);
}

function checkOptions(options: GatewayErrorHandlerOptions): void {
  const where = 'gatewayErrorHandler(): option';
  checkNames('gatewayErrorHandler()', options, ['render', 'status', 'onFault', 'proxyStatus']);
  optionalFunction(`${where} "render"`, options.render);
  optionalFunction(`${where} "onFault"`, options.onFault);
  if (options.proxyStatus !== undefined) boolean(`${where} "proxyStatus"`, options.proxyStatus);
  if (options.status === undefined) return;
  checkNames(`${where} "status"`, options.status, FAULT_CODES);
  for (const [code, status] of Object.entries(options.status))
    checkStatus(`${where} "status", ${code}`, status);
}

function checkStatus(where: string, status: unknown): void {
  const isOfFault = (value: number): boolean => Number.isInteger(value) && value >= 400 && value <= 599;
  numberThat(where, status, 'an HTTP status from 400 to 599', isOfFault);
}
