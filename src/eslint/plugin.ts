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

/** The name that ESLint shows for the plugin. */
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

/** The type of our flat configuration. */
export interface RecommendedConfig {
  readonly name: string;
  readonly plugins: { readonly 'express-hangup': Plugin };
  readonly rules: Record<string, 'error' | 'warn'>;
}

/** The plugin as ESLint takes it. */
export interface Plugin {
  readonly meta: typeof meta;
  readonly rules: typeof rules;
  readonly configs: { readonly recommended: RecommendedConfig };
}

/**
 * The plugin itself, for configurations that name it: `plugins: { 'express-hangup': plugin }` with
 * `extends: ['express-hangup/recommended']`, or with rules one by one.
 */
export const plugin: Plugin = {
  meta,
  rules,
  configs: {
    get recommended() {
      return recommended;
    },
  },
};

/**
 * A flat configuration with all rules, for ESLint 9 and 10: `export default [recommended]`. Code that does harm is an error;
 * code that may be intended is a warning.
 */
export const recommended: RecommendedConfig = {
  name: 'express-hangup/recommended',
  // ESLint refuses two different objects for one plugin name, so it has to be this one.
  plugins: { 'express-hangup': plugin },
  rules: Object.fromEntries(Object.keys(rules).map((name) => [`express-hangup/${name}`, severityOf(name)])),
};

/** The configurations of the plugin. */
export const { configs } = plugin;

function severityOf(name: string): 'error' | 'warn' {
  return name === 'service-without-signal' || name === 'catch-hides-fault' ? 'warn' : 'error';
}
