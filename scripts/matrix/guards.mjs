// What is mounted around the routes: this package, its peers, or nothing.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const nothing = { signalOf: () => undefined, before: () => undefined, after: () => undefined };

/** name -> (deadline in ms) -> what it mounts before and after the routes, and which signal it offers them. */
export const guards = {
  'express-hangup': (deadline) => {
    const { hangup, gatewayErrorHandler } = require('express-hangup');
    const { hangupProxy } = require('express-hangup/proxy');
    return {
      signalOf: (req) => req.signal,
      proxyOptions: hangupProxy,
      before: (app) => app.use(hangup({ deadline, stall: deadline })),
      after: (app) => app.use(gatewayErrorHandler()),
      bare: { middleware: hangup({ deadline, stall: deadline }), onError: gatewayErrorHandler() },
    };
  },
  nothing: (deadline) => ({
    ...nothing,
    proxyOptions: (options) => ({ ...options, proxyTimeout: deadline }),
  }),
  'the snippet': (deadline) => ({
    ...nothing,
    signalOf: (req) => {
      const controller = new AbortController();
      req.on('close', () => controller.abort());
      setTimeout(() => controller.abort(), deadline);
      return controller.signal;
    },
    after: (app) =>
      app.use((error, _req, res, next) => {
        if (error.name === 'AbortError' && !res.headersSent) res.status(504).end();
        else next(error);
      }),
  }),
  'connect-timeout': (deadline) => ({
    ...nothing,
    before: (app) => app.use(require('connect-timeout')(deadline)),
  }),
  'express-timeout-handler': (deadline) => ({
    ...nothing,
    before: (app) => app.use(require('express-timeout-handler').handler({ timeout: deadline })),
  }),
};
