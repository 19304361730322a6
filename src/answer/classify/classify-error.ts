import type { IncomingMessage } from 'node:http';
import type { HangupCode } from '../../errors';
import { hasDestroyedResponse, isOfClient, isWriteToNobody, whoLeft } from './classify-client';
import { reasonIn, reasonOf } from './classify-reason';
import { shapeOf } from './classify-shape';
import { errorChain, type ErrorFacts } from './error-chain';
import { gatewayFault, type FaultCode, type GatewayFault } from '../fault';
import { upstreamIn } from './classify-upstream';

/**
 * Tells which gateway fault an error stands for: who hung up, who was too slow, who could not be reached.
 *
 * Looks through `cause` and `AggregateError.errors`, and knows the errors of global fetch, undici, node:http,
 * axios, got, ky, node-fetch, superagent, http-proxy-middleware, gRPC, pg, mysql2, ioredis and mongodb. Never
 * throws, for any value.
 *
 * @param err - The value that was thrown. It is the fault's `cause`, unchanged.
 * @param req - The request during which it was thrown. If that request has been aborted, its signal's reason decides,
 *   whatever the error looks like. And a failure of the client's own connection is not blamed on an upstream.
 * @returns The fault; `undefined` if the error is not known to be one. Such an error stays the app's.
 */
export function classifyError(err: unknown, req?: IncomingMessage): GatewayFault | undefined {
  const chain = errorChain(err);
  const shape = shapeOf(chain);
  const code = decide(chain, shape?.code, req);
  return code && gatewayFault(code, err, upstreamIn(chain, shape?.at));
}

function decide(
  chain: readonly ErrorFacts[],
  shape: FaultCode | undefined,
  req: IncomingMessage | undefined,
): FaultCode | undefined {
  const { isKnown, reason } = reasonOf(req);
  if (req && reason) return isEffectOf(chain, reason, req) ? (shape ?? reason) : reason;
  const thrown = reasonIn(chain);
  // The reason of another request, which shares a promise with this one. This request itself has not been aborted.
  if (thrown) return isKnown && thrown !== 'SERVER_DRAINING' ? 'OPERATION_ABORTED' : thrown;
  const left = req && !hasDestroyedResponse(chain, req) ? whoLeft(req) : undefined;
  if (isOfClient(chain, req)) return left ?? 'CLIENT_CLOSED_REQUEST';
  const isBroken = shape === 'UPSTREAM_RESET' || shape === 'OPERATION_ABORTED' || isWriteToNobody(chain);
  return isBroken ? (left ?? shape) : shape;
}

/** Whether this error destroyed the response. Then the error is the cause, and the abort is its effect. */
function isEffectOf(chain: readonly ErrorFacts[], reason: HangupCode, req: IncomingMessage): boolean {
  return reason === 'RESPONSE_DESTROYED' && hasDestroyedResponse(chain, req);
}
