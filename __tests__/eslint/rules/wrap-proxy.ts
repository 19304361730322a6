import { testRule } from '../../fixtures/rule-tester';

testRule(
  'wrap-proxy',
  [
    `const { createProxyMiddleware } = require('http-proxy-middleware');
const { hangupProxy } = require('express-hangup/proxy');
app.use(createProxyMiddleware(hangupProxy({ target })));`,
    `const { createProxyMiddleware } = require('./own');
app.use(createProxyMiddleware({ target }));`,
    `const { createProxyServer } = require('http-proxy');
createProxyServer({ target });`,
    `const { createProxyMiddleware } = require('http-proxy-middleware');
`,
    `const { createProxyMiddleware } = require('http-proxy-middleware');
module.exports = { createProxyMiddleware };`,
    `function createProxyMiddleware(options) {}
createProxyMiddleware({ target });`,
    'createProxyMiddleware({ target });',
    `const { createProxyMiddleware } = require('http-proxy-middleware');
const hangupOptions = hangupProxy({ target });
app.use(createProxyMiddleware(hangupOptions));`,
    `import { createProxyMiddleware } from 'http-proxy-middleware';
import { hangupProxy as own } from 'express-hangup/proxy';
const hangup = own({ target });
app.use(createProxyMiddleware(hangup));`,
    `import proxy from 'express-http-proxy';
app.use('/api', proxy('http://api'));`,
    `import httpProxy from 'http-proxy';
const proxy = httpProxy.createProxyServer({});`,
    `const { fixRequestBody } = require('http-proxy-middleware');
fixRequestBody(a, b);`,
    `import { responseInterceptor } from 'http-proxy-middleware';
responseInterceptor(async (buffer) => buffer);`,
    `const { createProxyMiddleware } = require('http-proxy-middleware');
const make = createProxyMiddleware;`,
    {
      code: `import type { Options } from 'http-proxy-middleware';
export const options = { target };`,
      filename: 'x.ts',
    },
    `const mw = require('http-proxy-middleware');
mw.debugProxyErrorsPlugin(server);`,
  ],
  [
    {
      code: `const { createProxyMiddleware } = require('http-proxy-middleware');
app.use('/api', createProxyMiddleware({ target: 'http://api' }));`,
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `const { createProxyMiddleware } = require('http-proxy-middleware');
const { hangupProxy } = require('express-hangup/proxy');
app.use('/api', createProxyMiddleware(hangupProxy({ target: 'http://api' })));`,
        },
      ],
    },
    {
      code: `const { createProxyMiddleware } = require('http-proxy-middleware');
app.use('/api', createProxyMiddleware({
  target: 'http://api',
  changeOrigin: true,
}));`,
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `const { createProxyMiddleware } = require('http-proxy-middleware');
const { hangupProxy } = require('express-hangup/proxy');
app.use('/api', createProxyMiddleware(hangupProxy({
  target: 'http://api',
  changeOrigin: true,
})));`,
        },
      ],
    },
    {
      code: `const { createProxyMiddleware } = require('http-proxy-middleware');
const options = { target };
app.use(createProxyMiddleware(options));`,
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `const { createProxyMiddleware } = require('http-proxy-middleware');
const { hangupProxy } = require('express-hangup/proxy');
const options = { target };
app.use(createProxyMiddleware(hangupProxy(options)));`,
        },
      ],
    },
    {
      code: `import { createProxyMiddleware } from 'http-proxy-middleware';
export const proxy = createProxyMiddleware({ target });`,
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `import { createProxyMiddleware } from 'http-proxy-middleware';
import { hangupProxy } from 'express-hangup/proxy';
export const proxy = createProxyMiddleware(hangupProxy({ target }));`,
        },
      ],
    },
    {
      code: `import * as hpm from 'http-proxy-middleware';
app.use(hpm.createProxyMiddleware({ target }));`,
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `import * as hpm from 'http-proxy-middleware';
import { hangupProxy } from 'express-hangup/proxy';
app.use(hpm.createProxyMiddleware(hangupProxy({ target })));`,
        },
      ],
    },
    {
      code: `const hpm = require('http-proxy-middleware');
app.use(hpm.createProxyMiddleware({ target }));`,
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `const hpm = require('http-proxy-middleware');
const { hangupProxy } = require('express-hangup/proxy');
app.use(hpm.createProxyMiddleware(hangupProxy({ target })));`,
        },
      ],
    },
    {
      code: `import { createProxyMiddleware as proxy } from 'http-proxy-middleware';
app.use(proxy({ target }));`,
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `import { createProxyMiddleware as proxy } from 'http-proxy-middleware';
import { hangupProxy } from 'express-hangup/proxy';
app.use(proxy(hangupProxy({ target })));`,
        },
      ],
    },
    {
      code: `import { legacyCreateProxyMiddleware } from 'http-proxy-middleware';
app.use(legacyCreateProxyMiddleware({ target }));`,
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `import { legacyCreateProxyMiddleware } from 'http-proxy-middleware';
import { hangupProxy } from 'express-hangup/proxy';
app.use(legacyCreateProxyMiddleware(hangupProxy({ target })));`,
        },
      ],
    },
    {
      code: `const { createProxyMiddleware } = require('http-proxy-middleware');
app.use(createProxyMiddleware('/api', { target }));`,
      ids: ['old'],
    },
    {
      code: `const { createProxyMiddleware } = require('http-proxy-middleware');
app.use(createProxyMiddleware(...given));`,
      ids: ['unwrapped'],
    },
    {
      code: `const { createProxyMiddleware } = require('http-proxy-middleware');
for (const [path, target] of Object.entries(routes)) app.use(path, createProxyMiddleware({ target }));`,
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `const { createProxyMiddleware } = require('http-proxy-middleware');
const { hangupProxy } = require('express-hangup/proxy');
for (const [path, target] of Object.entries(routes)) app.use(path, createProxyMiddleware(hangupProxy({ target })));`,
        },
      ],
    },
    {
      code: `const { createProxyMiddleware } = require('http-proxy-middleware');
const { hangupProxy } = require('express-hangup/proxy');
app.use('/a', createProxyMiddleware(hangupProxy({ target })));
app.use('/b', createProxyMiddleware({ target }));`,
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `const { createProxyMiddleware } = require('http-proxy-middleware');
const { hangupProxy } = require('express-hangup/proxy');
app.use('/a', createProxyMiddleware(hangupProxy({ target })));
app.use('/b', createProxyMiddleware(hangupProxy({ target })));`,
        },
      ],
    },
    {
      code: `import { createProxyMiddleware, type Options } from 'http-proxy-middleware';
const options: Options = { target };
export const proxy = createProxyMiddleware<Request>(options as Options);`,
      filename: 'proxy.ts',
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `import { createProxyMiddleware, type Options } from 'http-proxy-middleware';
import { hangupProxy } from 'express-hangup/proxy';
const options: Options = { target };
export const proxy = createProxyMiddleware<Request>(hangupProxy(options as Options));`,
        },
      ],
    },
    {
      code: `const { createProxyMiddleware } = require('http-proxy-middleware')
module.exports = (app) => {
  app.use('/api', createProxyMiddleware({ target, onProxyReq: fixRequestBody }))
}`,
      ids: ['unwrapped'],
      suggested: [
        {
          wrap: `const { createProxyMiddleware } = require('http-proxy-middleware')
const { hangupProxy } = require('express-hangup/proxy')
module.exports = (app) => {
  app.use('/api', createProxyMiddleware(hangupProxy({ target, onProxyReq: fixRequestBody })))
}`,
        },
      ],
    },
    {
      code: `const { createProxyMiddleware } = require('http-proxy-middleware');
app.use(createProxyMiddleware());`,
      ids: ['unwrapped'],
    },
  ],
);
