// The routes of the matrix: one for each way in which an app calls its upstream. They are written as one would write them,
// with nothing in them about failures: that is the business of what is mounted around them.
import http from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { pipeline as pipelined } from 'node:stream/promises';

const require = createRequire(import.meta.url);

const PATH = '/data';

/** What a call by a client library sends: the method, and for a POST the body that was parsed. */
const sent = (req) =>
  req.method === 'GET'
    ? { method: 'GET' }
    : { method: req.method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(req.body) };

/**
 * name -> (url, signalOf) -> the route. `parsed` says that the body is parsed before. `signalOf(req)` is the signal that the
 * row offers, or undefined.
 */
export const routes = {
  'fetch, parsed': {
    parsed: true,
    make: (url, signalOf) => async (req, res) => {
      const answer = await fetch(url + PATH, { ...sent(req), signal: signalOf(req) });
      res.json(await answer.json());
    },
  },
  'fetch, streamed': {
    parsed: true,
    make: (url, signalOf) => async (req, res) => {
      const answer = await fetch(url + PATH, { ...sent(req), signal: signalOf(req) });
      res.writeHead(answer.status, { 'content-type': 'application/json' });
      await pipelined(Readable.fromWeb(answer.body), res);
    },
  },
  'node:http, streamed': {
    parsed: false,
    make: (url, signalOf) => (req, res, next) => {
      const call = http.request(url + PATH, { method: req.method, signal: signalOf(req) }, (answer) => {
        res.writeHead(answer.statusCode, { 'content-type': 'application/json' });
        pipeline(answer, res, (error) => error && next(error));
      });
      call.on('error', next);
      pipeline(req, call, () => undefined);
    },
  },
  'undici, streamed': {
    parsed: true,
    make: (url, signalOf) => {
      const { Agent } = require('undici');
      const dispatcher = new Agent();
      const { request } = require('undici');
      return async (req, res) => {
        const answer = await request(url + PATH, { ...sent(req), signal: signalOf(req), dispatcher });
        res.writeHead(answer.statusCode, { 'content-type': 'application/json' });
        await pipelined(answer.body, res);
      };
    },
  },
  'axios, parsed': {
    parsed: true,
    make: (url, signalOf) => {
      const axios = require('axios').create();
      return async (req, res) => {
        const { method, headers, body } = sent(req);
        const answer = await axios.request({
          url: url + PATH,
          method,
          headers,
          data: body,
          signal: signalOf(req),
        });
        res.json(answer.data);
      };
    },
  },
  'got, parsed': {
    parsed: true,
    async: true,
    make: async (url, signalOf) => {
      const { default: got } = await import('got');
      // Its retries wait for a second and more: they are longer than the deadline of this matrix.
      return async (req, res) => {
        res.json(await got(url + PATH, { ...sent(req), signal: signalOf(req), retry: { limit: 0 } }).json());
      };
    },
  },
  'http-proxy-middleware 3': {
    parsed: false,
    make: (url, _signalOf, proxyOptions) => {
      const { createProxyMiddleware } = require('http-proxy-middleware3');
      return createProxyMiddleware(proxyOptions({ target: url }));
    },
  },
  'http-proxy-middleware 4': {
    parsed: false,
    make: async (url, _signalOf, proxyOptions) => {
      const { createProxyMiddleware } = await import('http-proxy-middleware');
      return createProxyMiddleware(proxyOptions({ target: url }));
    },
  },
  'upstream(), parsed': {
    parsed: true,
    make: (url) => {
      const api = require('express-hangup/upstream').upstream(url);
      return async (req, res) => {
        const answer = await api.fetch(req, PATH, sent(req));
        res.json(await answer.json());
      };
    },
  },
  'upstream(), streamed': {
    parsed: true,
    make: (url) => {
      const api = require('express-hangup/upstream').upstream(url);
      return async (req, res) => {
        const answer = await api.fetch(req, PATH, sent(req));
        res.writeHead(answer.status, { 'content-type': 'application/json' });
        await pipelined(Readable.fromWeb(answer.body), res);
      };
    },
  },
};
