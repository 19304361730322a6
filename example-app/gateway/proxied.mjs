// The same price service behind http-proxy-middleware: with hangupProxy(), and plain.
import { createProxyMiddleware } from 'http-proxy-middleware';
import { hangupProxy } from 'express-hangup/proxy';
import { PRICES, priceService } from './prices.mjs';

const options = {
  target: PRICES,
  router: (req) => priceService(req.path.split('/').at(-1)),
  pathRewrite: { '^/order': '/price' },
};

export const proxied = createProxyMiddleware(hangupProxy(options));

export const plainProxied = createProxyMiddleware(options);
