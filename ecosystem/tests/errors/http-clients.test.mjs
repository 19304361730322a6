// What classifyError() makes of the SDKs that speak HTTP: real packages, real faults.
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { Client as Elastic } from '@elastic/elasticsearch';
import { classifyError } from 'express-hangup';
import { diagnose } from 'express-hangup/diagnose';
import OpenAI from 'openai';
import OpenAI6 from 'openai6';
import { errorOf, openFaultyPorts } from './faulty-ports.mjs';

describe('classifyError() and SDKs over HTTP', () => {
  let ports;
  before(async () => (ports = await openFaultyPorts()));
  after(() => ports.close());

  const urlOf = (port) => `http://127.0.0.1:${port}`;
  const aws = (port, limits = {}) =>
    new DynamoDBClient({
      region: 'nowhere',
      endpoint: urlOf(port),
      maxAttempts: 1,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      requestHandler: { connectionTimeout: 300, requestTimeout: 300, throwOnRequestTimeout: true, ...limits },
    });
  const llm =
    (Client) =>
    (port, signal, timeout = 300) =>
      new Client({
        apiKey: 'a',
        baseURL: urlOf(port),
        maxRetries: 0,
        timeout: signal ? 3_000 : timeout,
      }).models.list(...(Client === Anthropic ? [{}, { signal }] : [{ signal }]));
  const clients = {
    '@elastic/elasticsearch': (port, signal) =>
      new Elastic({ node: urlOf(port), maxRetries: 0, requestTimeout: signal ? 3_000 : 300 }).info(
        {},
        { signal },
      ),
    'AWS SDK 3': (port, signal) =>
      aws(port, signal ? { requestTimeout: 3_000 } : {}).send(new ListTablesCommand({}), {
        abortSignal: signal,
      }),
    openai: llm(OpenAI),
    'openai 6': llm(OpenAI6),
    '@anthropic-ai/sdk': llm(Anthropic),
  };
  const expected = {
    hanging: 'UPSTREAM_TIMEOUT',
    silent: 'UPSTREAM_TIMEOUT',
    resetting: 'UPSTREAM_RESET',
    closing: 'UPSTREAM_RESET',
    nobody: 'UPSTREAM_REFUSED',
  };

  for (const [client, call] of Object.entries(clients)) {
    for (const [port, code] of Object.entries(expected)) {
      it(`${client}: a server that is ${port} is ${code}`, async () => {
        const error = await errorOf(() => call(ports[port]));
        assert.equal(classifyError(error)?.code, code, `${error}`);
      });
    }

    it(`${client}: a signal of one's own is OPERATION_ABORTED`, async () => {
      const error = await errorOf(() => call(ports.hanging, AbortSignal.timeout(50)));
      assert.equal(classifyError(error)?.code, 'OPERATION_ABORTED', `${error}`);
      const controller = new AbortController();
      setImmediate(() => controller.abort());
      const aborted = await errorOf(() => call(ports.hanging, controller.signal));
      assert.equal(classifyError(aborted)?.code, 'OPERATION_ABORTED', `${aborted}`);
    });
  }

  it("node:http: Node's idiom for a timeout is UPSTREAM_TIMEOUT where diagnose() has seen it, an upstream's close is not", async () => {
    const hurried = (port) => () =>
      new Promise((resolve, reject) => {
        const request = get({ port, host: '127.0.0.1', timeout: 100, agent: false }, resolve);
        request.on('timeout', () => request.destroy());
        request.on('error', reject);
      });
    const unseen = await errorOf(hurried(ports.hanging));
    assert.equal(classifyError(unseen)?.code, 'UPSTREAM_RESET');
    const diagnosis = diagnose();
    try {
      assert.equal(classifyError(await errorOf(hurried(ports.hanging)))?.code, 'UPSTREAM_TIMEOUT');
      assert.equal(classifyError(await errorOf(hurried(ports.closing)))?.code, 'UPSTREAM_RESET');
    } finally {
      diagnosis.stop?.();
    }
  });
});
