import type { ClientAccount } from './client-account';
import { clientPlan, type ClientThatHangsUpOptions } from './client-plan';
import { reach, type Target } from './client-target';
import { talkHttp1 } from './http1-client';
import { talkHttp2 } from './http2-client';

/**
 * Sends a request, leaves as the options say, and resolves to an exact account of what came back. It never judges: a response
 * that is cut has `complete: false`, and without an answer there is no response. It rejects only if it cannot connect, or for
 * wrong options (TypeError, RangeError).
 */
export async function clientThatHangsUp(
  target: Target,
  options: ClientThatHangsUpOptions = {},
): Promise<ClientAccount> {
  const plan = clientPlan(options);
  const { url, release } = await reach(target, plan.protocol);
  try {
    return plan.protocol === 'http2' ? await talkHttp2(url, plan) : await talkHttp1(url, plan);
  } finally {
    release();
  }
}
