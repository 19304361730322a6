// hangup({ propagate }) and the clients that people have, with their own retries on: nothing is passed, nothing is changed.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import axios from 'axios';
import got from 'got';
import ky from 'ky';
import nodeFetch from 'node-fetch';
import OpenAI from 'openai';
import OpenAI6 from 'openai6';
import superagent from 'superagent';
import * as undici from 'undici';
import { classifyError } from 'express-hangup';
import { ask, chainOf, gate, holdingService, serve } from './world.mjs';

const service = await holdingService();
after(() => service.close());
const { url } = service;

const openai = new OpenAI({ apiKey: 'none', baseURL: url, maxRetries: 2 });
const openai6 = new OpenAI6({ apiKey: 'none', baseURL: url, maxRetries: 2 });
const anthropic = new Anthropic({ apiKey: 'none', baseURL: url, maxRetries: 2 });
const dynamo = new DynamoDBClient({
  endpoint: url,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  maxAttempts: 3,
});
const retryAgent = new undici.RetryAgent(new undici.Agent(), { maxRetries: 2, minTimeout: 1 });
const messages = [{ role: 'user', content: 'Hello' }];

/** Each with whether its call is a POST, which ends only where the app says so. */
const clients = {
  'global fetch': { call: () => fetch(`${url}/fetch`) },
  'undici.request()': { call: () => undici.request(`${url}/undici`) },
  'undici.stream()': { call: () => undici.stream(`${url}/stream`, { method: 'GET' }, () => undefined) },
  'undici with a RetryAgent': { call: () => undici.request(`${url}/retry`, { dispatcher: retryAgent }) },
  axios: { call: () => axios.get(`${url}/axios`) },
  'axios with its fetch adapter': { call: () => axios.get(`${url}/axios-fetch`, { adapter: 'fetch' }) },
  got: { call: () => got(`${url}/got`) },
  ky: { call: () => ky(`${url}/ky`) },
  'node-fetch': { call: () => nodeFetch(`${url}/node-fetch`) },
  superagent: { call: () => superagent.get(`${url}/superagent`).retry(2) },
  'openai 7': { isPost: true, call: () => openai.chat.completions.create({ model: 'none', messages }) },
  'openai 6': { isPost: true, call: () => openai6.chat.completions.create({ model: 'none', messages }) },
  '@anthropic-ai/sdk': {
    isPost: true,
    call: () => anthropic.messages.create({ model: 'none', max_tokens: 1, messages }),
  },
  'AWS SDK 3': { isPost: true, call: () => dynamo.send(new ListTablesCommand({})) },
};

for (const [name, { call, isPost = false }] of Object.entries(clients)) {
  const propagate = isPost ? { calls: [{ origin: url, methods: 'all' }] } : true;

  describe(name, () => {
    it('ends when the client leaves, and its retries reach nobody', async () => {
      const [before, goneBefore] = [service.arrived.length, service.gone.length];
      const seen = gate();
      const app = await serve(
        async (req) => {
          const error = await call().catch((reason) => reason);
          seen.open({ error, fault: classifyError(error, req) });
        },
        { propagate },
      );
      const client = await ask(app.port);
      await service.untilArrived(before + 1);
      client.leave();
      await service.untilGone(goneBefore + 1);
      const { error, fault } = await seen.promise;
      assert.equal(fault?.code, 'CLIENT_CLOSED_REQUEST', String(chainOf(error)));
      assert.equal(service.arrived.length, before + 1, 'a retry has reached the service');
      await app.close();
    });

    it('ends at the deadline, and the client gets its 504 in time', async () => {
      const [before, goneBefore] = [service.arrived.length, service.gone.length];
      const seen = gate();
      const app = await serve(
        async (req) => {
          const error = await call().catch((reason) => reason);
          seen.open(classifyError(error, req));
          throw error;
        },
        { propagate, deadline: 250 },
      );
      const client = await ask(app.port);
      assert.equal(await client.status(), 504);
      await service.untilGone(goneBefore + 1);
      assert.equal((await seen.promise)?.code, 'DEADLINE_EXCEEDED');
      assert.equal(service.arrived.length, before + 1, 'a retry has reached the service');
      client.leave();
      await app.close();
    });
  });
}
