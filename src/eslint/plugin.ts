import type { HangupRule } from './rule';
import { callWithoutSignal } from './rules/call-without-signal';
import { catchHidesFault } from './rules/catch-hides-fault';
import { drainOnSigterm } from './rules/drain-on-sigterm';
import { guardAsyncHandler } from './rules/guard-async-handler';
import { keepAliveAgent } from './rules/keep-alive-agent';
import { mountGatewayErrorHandler } from './rules/mount-gateway-error-handler';
import { mountHangup } from './rules/mount-hangup';
import { noAbortSnippet } from './rules/no-abort-snippet';
import { noConnectTimeout } from './rules/no-connect-timeout';
import { noExpressTimeoutHandler } from './rules/no-express-timeout-handler';
import { noRequestClose } from './rules/no-request-close';
import { serviceWithoutSignal } from './rules/service-without-signal';
import { wrapProxy } from './rules/wrap-proxy';

/** What ESLint shows of the plugin. */
export const meta = { name: 'express-hangup' } as const;

/** The rules, by their names without the prefix `express-hangup/`. */
export const rules: Record<string, HangupRule> = {
  'call-without-signal': callWithoutSignal,
  'catch-hides-fault': catchHidesFault,
  'drain-on-sigterm': drainOnSigterm,
  'guard-async-handler': guardAsyncHandler,
  'keep-alive-agent': keepAliveAgent,
  'mount-gateway-error-handler': mountGatewayErrorHandler,
  'mount-hangup': mountHangup,
  'no-abort-snippet': noAbortSnippet,
  'no-connect-timeout': noConnectTimeout,
  'no-express-timeout-handler': noExpressTimeoutHandler,
  'no-request-close': noRequestClose,
  'service-without-signal': serviceWithoutSignal,
  'wrap-proxy': wrapProxy,
};

const plugin = { meta, rules };

/**
 * A flat configuration with all rules, for ESLint 9 and 10: `export default [recommended]`. What harms is an error, what may be
 * meant so is a warning.
 */
export const recommended = {
  name: 'express-hangup/recommended',
  plugins: { 'express-hangup': plugin },
  rules: Object.fromEntries(
    Object.keys(rules).map((name) => [`express-hangup/${name}`, severityOf(name)]),
  ) as Record<string, 'error' | 'warn'>,
};

/** The same under the name where ESLint's `extends: ['express-hangup/recommended']` looks for it. */
export const configs = { recommended };

function severityOf(name: string): 'error' | 'warn' {
  return name === 'service-without-signal' || name === 'catch-hides-fault' ? 'warn' : 'error';
}
