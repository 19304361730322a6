// The clients by which an app calls its upstream, each as a route of an app.
import http from 'node:http';
import https from 'node:https';
import axios from 'axios';
import got from 'got';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { createProxyMiddleware as createProxyMiddleware3 } from 'http-proxy-middleware3';
import { request as undiciRequest } from 'undici';
import { hangupProxy } from 'express-hangup/proxy';
import { upstream as createUpstream } from 'express-hangup/upstream';

const agents = () => ({
  http: new http.Agent({ keepAlive: true }),
  https: new https.Agent({ keepAlive: true }),
});

function byNodeHttp({ method, body, signal }, url, pool) {
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith('https:') ? https : http;
    const agent = url.startsWith('https:') ? pool.https : pool.http;
    const req = request(url, { method, agent, signal }, (res) => {
      let text = '';
      res.on('data', (chunk) => (text += chunk)).on('error', reject);
      res.on('end', () => resolve({ status: res.statusCode, text }));
    });
    req.on('error', reject).end(body);
  });
}

/** A route that calls by a function; `again` tries once more, as apps do by hand. */
const calling = (name, call) => ({
  name,
  canAbort: true,
  handler(target) {
    const pool = agents();
    const handler = async (req, res, next) => {
      const { own, again } = req.query;
      const controller = new AbortController();
      const signal =
        own === 'abort' ? controller.signal : own === 'timeout' ? AbortSignal.timeout(60) : req.signal;
      if (own === 'abort') setTimeout(() => controller.abort(), 60);
      const init = {
        method: req.method,
        body: req.method === 'POST' ? await bodyOf(req) : undefined,
        signal,
      };
      const once = () => call(init, target + req.path.slice('/call'.length), pool, req);
      try {
        const { status, text } = await (again ? once().catch(once) : once());
        res.status(status).send(text);
      } catch (error) {
        next(error);
      }
    };
    return { handler, close: () => Object.values(pool).forEach((agent) => agent.destroy()) };
  },
});

async function bodyOf(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const proxying = (name, create) => ({
  name,
  canAbort: false,
  handler(target) {
    const handler = create(hangupProxy({ target, pathRewrite: { '^/call': '' }, logger: undefined }));
    return { handler, close: () => undefined };
  },
});

const byUpstream = {
  name: '`upstream()`',
  canAbort: true,
  handler(target) {
    const client = createUpstream(target, { retries: 0 });
    const { handler } = calling('', async ({ method, body, signal }, url, _pool, req) => {
      const { pathname } = new URL(url);
      const response = await client.fetch(req, pathname, { method, body, signal });
      return { status: response.status, text: await response.text() };
    }).handler(target);
    return { handler, close: () => client.close().catch(() => undefined) };
  },
};

export const clients = [
  calling('fetch', async (init, url) => {
    const response = await fetch(url, init);
    return { status: response.status, text: await response.text() };
  }),
  calling('undici', async (init, url) => {
    const { statusCode, body } = await undiciRequest(url, init);
    return { status: statusCode, text: await body.text() };
  }),
  calling('node:http', byNodeHttp),
  calling('axios', async ({ method, body, signal }, url, pool) => {
    const { status, data } = await axios.request({
      ...{ url, method, data: body, signal, httpAgent: pool.http, httpsAgent: pool.https },
      ...{ maxBodyLength: Infinity, validateStatus: () => true, transformResponse: (text) => text },
    });
    return { status, text: data };
  }),
  calling('got', async ({ method, body, signal }, url, pool) => {
    const response = await got(url, {
      method,
      body,
      signal,
      agent: pool,
      retry: { limit: 0 },
      throwHttpErrors: false,
    });
    return { status: response.statusCode, text: response.body };
  }),
  proxying('HPM 4', createProxyMiddleware),
  proxying('HPM 3', createProxyMiddleware3),
  byUpstream,
];
