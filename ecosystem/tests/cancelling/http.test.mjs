// docs/cancelling.md: HTTP clients and SDKs.
import { after, describe } from 'node:test';
import http from 'node:http';
import Anthropic from '@anthropic-ai/sdk';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { Client as Elasticsearch } from '@elastic/elasticsearch';
import axios from 'axios';
import got from 'got';
import ky from 'ky';
import nodeFetch from 'node-fetch';
import OpenAI from 'openai';
import superagent from 'superagent';
import { request } from 'undici';
import { holdingService } from '../propagate/world.mjs';
import { row } from './rows.mjs';

const service = await holdingService();
after(() => service.close());
const { url } = service;
const openai = new OpenAI({ apiKey: 'none', baseURL: url });
const anthropic = new Anthropic({ apiKey: 'none', baseURL: url });
const elasticsearch = new Elasticsearch({ node: url });
const dynamo = new DynamoDBClient({
  endpoint: url,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
});
const messages = [{ role: 'user', content: 'Hello' }];
const chat = { model: 'none', messages };
const message = { model: 'none', max_tokens: 1, messages };
const command = new ListTablesCommand({});

const rows = {
  'fetch(url, { signal: req.signal })': ['REASON', (req) => fetch(url, { signal: req.signal })],
  'request(url, { signal: req.signal })': ['REASON', (req) => request(url, { signal: req.signal })],
  'http.get(url, { signal: req.signal }, onResponse)': [
    'AbortError ABORT_ERR ← REASON',
    (req) =>
      new Promise((resolve, reject) => {
        http.get(url, { signal: req.signal }, resolve).on('error', reject);
      }),
  ],
  'axios.get(url, { signal: req.signal })': [
    'CanceledError ERR_CANCELED',
    (req) => axios.get(url, { signal: req.signal }),
  ],
  'got(url, { signal: req.signal })': ['AbortError ERR_ABORTED', (req) => got(url, { signal: req.signal })],
  'ky(url, { signal: req.signal })': ['REASON', (req) => ky(url, { signal: req.signal })],
  'nodeFetch(url, { signal: req.signal })': ['AbortError', (req) => nodeFetch(url, { signal: req.signal })],
  "req.signal.addEventListener('abort', () => void call.abort())": [
    'Error ABORTED',
    (req) => {
      const call = superagent.get(url);
      req.signal.addEventListener('abort', () => void call.abort());
      return call;
    },
  ],
  'openai.chat.completions.create(chat, { signal: req.signal })': [
    'APIUserAbortError ← REASON',
    (req) => openai.chat.completions.create(chat, { signal: req.signal }),
  ],
  'anthropic.messages.create(message, { signal: req.signal })': [
    'APIUserAbortError',
    (req) => anthropic.messages.create(message, { signal: req.signal }),
  ],
  'client.send(command, { abortSignal: req.signal })': [
    'AbortError ← REASON',
    (req) => dynamo.send(command, { abortSignal: req.signal }),
  ],
  'client.search(query, { signal: req.signal })': [
    'RequestAbortedError ← RequestAbortedError',
    (req) => elasticsearch.search({ index: 'none' }, { signal: req.signal }),
  ],
};

describe('docs/cancelling.md, HTTP clients and SDKs', () => {
  for (const [line, [error, begin]] of Object.entries(rows)) {
    let [arrived, gone] = [0, 0];
    row(line, {
      begin(req) {
        [arrived, gone] = [service.arrived.length, service.gone.length];
        return begin(req);
      },
      async underWay() {
        await service.untilArrived(arrived + 1);
      },
      error,
      stopped: () => service.untilGone(gone + 1),
    });
  }
});
