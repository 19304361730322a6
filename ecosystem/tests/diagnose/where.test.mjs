// Which clients show the line of the app that makes the call: the table of docs/diagnose.md, with the real ones.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Anthropic from '@anthropic-ai/sdk';
import axios from 'axios';
import express from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { diagnose } from 'express-hangup/diagnose';
import { hangupProxy } from 'express-hangup/proxy';
import got from 'got';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { createProxyMiddleware as createProxyMiddleware3 } from 'http-proxy-middleware3';
import ky from 'ky';
import nodeFetch from 'node-fetch';
import OpenAI from 'openai';
import superagent from 'superagent';
import * as undici from 'undici';

const FILE = fileURLToPath(import.meta.url);
const LINES = readFileSync(FILE, 'utf8').split('\n');
const major = Number.parseInt(process.versions.node, 10);
/** What stands on node:http is seen at its call from Node 22 on; what calls when it is awaited, from Node 26 on. */
const FROM_22 = { isSeen: major >= 22 };
const FROM_26 = { isSeen: major >= 26 };
const SEEN = { isSeen: true };
const UNSEEN = { isSeen: false };

let diagnosis;
let upstream;
let url;

before(async () => {
  diagnosis = diagnose();
  upstream = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.resetAndDestroy());
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  url = `http://127.0.0.1:${upstream.address().port}/`;
});

after(() => {
  diagnosis.stop();
  upstream.close();
});

const model = { model: 'none', max_tokens: 1, messages: [] };
const keyed = () => ({ apiKey: 'none', baseURL: url, maxRetries: 0 });

// The line of a call is found by its name, which stands in the same line.
// prettier-ignore
const CALLS = {
  'global fetch': [SEEN, async () => await fetch(url)],
  'undici': [SEEN, async () => await undici.request(url)],
  'ky': [SEEN, async () => await ky(url, { retry: 0 })],
  'openai': [SEEN, async () => await new OpenAI(keyed()).chat.completions.create(model)],
  '@anthropic-ai/sdk': [UNSEEN, async () => await new Anthropic(keyed()).messages.create(model)],
  'node:http': [FROM_22, async () => await once(http.get(url), 'response')],
  'axios': [FROM_22, async () => await axios.get(url)],
  'node-fetch': [FROM_22, async () => await nodeFetch(url)],
  'superagent': [FROM_26, async () => await superagent.get(url)],
  'got': [UNSEEN, async () => await got(url, { retry: { limit: 0 } })],
};

/** What is known of the upstream that an app has called in vain. */
async function upstreamInfo(...handlers) {
  const app = express();
  app.use(hangup());
  app.use('/call', ...handlers);
  app.use(gatewayErrorHandler());
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await new Promise((resolve) => {
    http.get({ host: '127.0.0.1', port: server.address().port, path: '/call' }, (res) =>
      res.resume().on('end', resolve),
    );
  });
  server.close();
  server.closeAllConnections();
  // node-fetch makes an error of its own, which does not lead back to the call: then they are two faults.
  return diagnosis.report().faults.find(({ upstream: known }) => known !== undefined).upstream;
}

for (const [name, [{ isSeen }, call]] of Object.entries(CALLS)) {
  test(`${name} ${isSeen ? 'shows the line of its call' : 'does not show the line of its call'}`, async () => {
    const info = await upstreamInfo(() => call());
    assert.equal(info?.origin, url.slice(0, -1));
    const line = LINES.findIndex((text) => text.startsWith(`  '${name}': [`)) + 1;
    const { file, line: seenLine } = info.where ?? {};
    assert.deepEqual([file, seenLine], isSeen ? [FILE, line] : [undefined, undefined]);
  });
}

for (const [name, create] of [
  ['http-proxy-middleware 4', createProxyMiddleware],
  ['http-proxy-middleware 3', createProxyMiddleware3],
]) {
  test(`${name} shows the line of hangupProxy(), and without it none`, async () => {
    const options = hangupProxy({ target: url, logger: undefined }); // the line of hangupProxy()
    const { where } = await upstreamInfo(create(options));
    const line = LINES.findIndex((text) => text.endsWith('// the line of hangupProxy()')) + 1;
    assert.deepEqual([where.file, where.line], [FILE, line]);
    assert.equal((await upstreamInfo(create({ target: url, logger: undefined }))).where, undefined);
  });
}
