// "Apollo Server" of docs/works-with.md, with the real one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import express from 'express';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import { runSection } from './page.mjs';
import { gate, serve, uncaught, Wire } from './wire.mjs';

const typeDefs = 'type Query { well: String, reset: String, late: String, parts: String }';

/** An app with a schema; `incremental` stands for what a graphql with `@defer` executes: the first part, then the others. */
async function graphqlApp(
  t,
  resolvers,
  { options = { deadline: 80, grace: 20 }, guards = [], incremental } = {},
) {
  const app = express();
  app.set('env', 'test');
  app.use(hangup(options), ...guards);
  const { graphql } = runSection('Apollo Server', {}, { wanted: ['graphql'] });
  const plugins = incremental && [deferred(incremental)];
  await graphql(app, { typeDefs, resolvers: { Query: resolvers }, plugins, csrfPrevention: false });
  app.get('/late', () => undefined);
  app.use(gatewayErrorHandler());
  return serve(t, app);
}

function deferred(parts) {
  return {
    requestDidStart: async () => ({
      responseForOperation: async ({ contextValue, response }) => ({
        http: response.http,
        body: {
          kind: 'incremental',
          initialResult: { data: { parts: 'first' }, hasNext: true },
          subsequentResults: parts(contextValue),
        },
      }),
    }),
  };
}

async function ask(port, query) {
  const body = JSON.stringify({ query });
  const head = `POST /graphql HTTP/1.1\r\nHost: test\r\nAccept: application/json, multipart/mixed; deferSpec=20220824\r\n`;
  const wire = await Wire.connect(port);
  return wire.send(`${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

const rejectsAtAbort = (signal) =>
  new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('a deadline is a whole 504, whether the resolvers listen to their signal or not', async (t) => {
  for (const late of [
    (_parent, _args, { signal }) => rejectsAtAbort(signal),
    () => new Promise(() => undefined),
  ]) {
    const { port } = await graphqlApp(t, { late });
    const response = await (await ask(port, '{ late }')).response();
    assert.deepEqual([response.status, response.complete], [504, true]);
    assert.equal(JSON.parse(response.body).code, 'DEADLINE_EXCEEDED');
  }
});

test("an upstream's reset is a GraphQL error with our code, beside what is well", async (t) => {
  const reset = async () => {
    throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  };
  const { port } = await graphqlApp(t, { reset, well: () => 'yes' });
  const { status, body } = await (await ask(port, '{ well reset }')).response();
  const { data, errors } = JSON.parse(body);
  assert.equal(status, 200);
  assert.deepEqual(data, { well: 'yes', reset: null });
  assert.equal(errors[0].extensions.code, 'UPSTREAM_RESET');
});

test('a resolver hears that its client has left', async (t) => {
  const arrived = gate();
  const left = gate();
  const { port } = await graphqlApp(
    t,
    {
      late: (_parent, _args, { signal }) => {
        signal.addEventListener('abort', () => left.open(signal.reason.code));
        arrived.open();
        return rejectsAtAbort(signal);
      },
    },
    { options: {} },
  );
  const wire = await ask(port, '{ late }');
  await arrived.promise;
  wire.close();
  assert.equal(await left.promise, 'CLIENT_CLOSED_REQUEST');
});

test('deferred parts outlive the deadline, which the first one has met', async (t) => {
  const passed = gate();
  const { port } = await graphqlApp(
    t,
    {},
    {
      async *incremental() {
        await passed.promise;
        yield { incremental: [{ data: { parts: 'second' }, path: [] }], hasNext: false };
      },
    },
  );
  const answer = (await ask(port, '{ parts }')).response();
  // Another request, which began later: its deadline has passed, and so has the first one's.
  assert.equal((await (await Wire.connect(port)).get('/late').response()).status, 504);
  passed.open();
  const { status, complete, body } = await answer;
  assert.deepEqual([status, complete], [200, true]);
  assert.match(body, /first[^]*second/);
});

test('deferred parts are cut by a deadline until the finish', async (t) => {
  const { port } = await graphqlApp(
    t,
    {},
    {
      options: {},
      guards: [deadline(80, { until: 'finish' })],
      async *incremental({ signal }) {
        await rejectsAtAbort(signal);
        yield {};
      },
    },
  );
  const answer = await (await ask(port, '{ parts }')).response();
  assert.equal(answer.complete, false);
});

test('deferred parts that look at the signal end when the client leaves, and nothing is thrown at the process', async (t) => {
  const errors = uncaught(t);
  const begun = gate();
  const ended = gate();
  const { port } = await graphqlApp(
    t,
    {},
    {
      options: {},
      async *incremental({ signal }) {
        try {
          begun.open();
          await rejectsAtAbort(signal);
          yield {};
        } finally {
          ended.open(signal.reason.code);
        }
      },
    },
  );
  const wire = await ask(port, '{ parts }');
  await begun.promise;
  wire.close();
  assert.equal(await ended.promise, 'CLIENT_CLOSED_REQUEST');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(errors, []);
});
