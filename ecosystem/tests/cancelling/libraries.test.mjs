// docs/cancelling.md: worker pools, queues, GraphQL, gRPC, Redis, MongoDB.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, describe, it } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import * as graphql16 from 'graphql';
import * as graphql17 from 'graphql17';
import { MongoClient } from 'mongodb';
import PQueue from 'p-queue';
import { Piscina } from 'piscina';
import { createClient } from 'redis';
import sharp from 'sharp';
import { gate, holdingService, listen } from '../propagate/world.mjs';
import { inWords, row } from './rows.mjs';

const service = await holdingService();
after(() => service.close());
const ABORT_ERR = 'AbortError ABORT_ERR ← REASON';

const hasRedis = await new Promise((resolve) => {
  spawn('redis-server', ['--version'])
    .on('error', () => resolve(false))
    .on('exit', () => resolve(true));
});

describe('docs/cancelling.md, pools and queues', () => {
  const pool = new Piscina({ filename: new URL('./endless-task.mjs', import.meta.url).href, maxThreads: 1 });
  after(() => pool.destroy());
  row('pool.run(task, { signal: req.signal })', {
    begin: (req) => pool.run('endless', { signal: req.signal }),
    underWay: async () => {
      while (pool.threads.length === 0 || pool.queueSize > 0) await new Promise(setImmediate);
    },
    error: 'AbortError ← REASON',
    // The thread has been ended, and the next task gets a new one.
    stopped: async () => assert.equal(await pool.run('short'), 'done'),
  });

  const queue = new PQueue({ concurrency: 1 });
  row('queue.add(({ signal }) => job(signal), { signal: req.signal })', {
    begin: (req) =>
      queue.add(({ signal }) => fetch(`${service.url}/job`, { signal }), { signal: req.signal }),
    underWay: () => service.untilArrived(1),
    error: 'REASON',
    stopped: () => service.untilGone(1),
  });

  const endless = new PassThrough();
  row('pipeline(upload, sharp().resize(320), target, { signal: req.signal })', {
    begin: (req) => pipeline(endless, sharp().resize(320), new PassThrough(), { signal: req.signal }),
    error: ABORT_ERR,
    stopped: () => assert.equal(endless.destroyed, true),
  });
});

describe('docs/cancelling.md, GraphQL and gRPC', () => {
  const sdl = 'type Query { slow: String, next: String }';
  const source = '{ slow next }';
  let calls = 0;
  const resolvers = {
    slow: async (_args, { signal }) => (await fetch(`${service.url}/graphql-${++calls}`, { signal })).text(),
  };
  const arrivedAt = async () => {
    while (!service.arrived.includes(`GET /graphql-${calls}`) || calls === 0) await new Promise(setImmediate);
  };

  row('graphql({ schema, source, contextValue: { signal: req.signal } })', {
    async begin(req) {
      calls = 0;
      const schema = graphql16.buildSchema(sdl);
      const { errors } = await graphql16.graphql({
        schema,
        source,
        rootValue: resolvers,
        contextValue: { signal: req.signal },
      });
      return errors[0].originalError;
    },
    underWay: arrivedAt,
    error: 'REASON',
    stopped: () => service.untilGone(2),
  });

  row('graphql({ schema, source, abortSignal: req.signal })', {
    async begin(req) {
      calls = 100;
      const schema = graphql17.buildSchema(sdl);
      const rootValue = {
        slow: async (_args, _context, info) =>
          (await fetch(`${service.url}/graphql-${++calls}`, { signal: info.getAbortSignal() })).text(),
      };
      const result = await graphql17.graphql({ schema, source, rootValue, abortSignal: req.signal });
      return result.errors;
    },
    underWay: async () => {
      while (!service.arrived.includes('GET /graphql-101')) await new Promise(setImmediate);
    },
    error: 'AbortedGraphQLExecutionError ← REASON',
    stopped: () => service.untilGone(3),
  });

  const text = { serialize: (value) => Buffer.from(value), deserialize: (bytes) => bytes.toString() };
  const method = {
    path: '/test/Slow',
    requestStream: false,
    responseStream: false,
    requestSerialize: text.serialize,
    requestDeserialize: text.deserialize,
    responseSerialize: text.serialize,
    responseDeserialize: text.deserialize,
  };
  const [asked, cancelled] = [gate(), gate()];
  const server = new grpc.Server();
  server.addService(
    { slow: method },
    {
      slow(call) {
        call.on('cancelled', cancelled.open);
        asked.open();
      },
    },
  );
  let client;
  after(() => {
    client?.close();
    server.forceShutdown();
  });
  row("req.signal.addEventListener('abort', () => call.cancel())", {
    async begin(req) {
      const port = await promisedPort(server);
      const Client = grpc.makeGenericClientConstructor({ slow: method }, 'test');
      client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
      return new Promise((resolve) => {
        const call = client.slow('?', (error) => resolve(Object.assign(error, { name: 'Error' })));
        req.signal.addEventListener('abort', () => call.cancel());
      });
    },
    underWay: () => asked.promise,
    error: 'Error 1',
    stopped: () => cancelled.promise,
  });
});

function promisedPort(server) {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

describe('docs/cancelling.md, Redis and MongoDB', () => {
  const silent = net.createServer((socket) => socket.on('error', () => {}));
  after(() => silent.close());
  let mongo;
  after(() => mongo?.close());
  row('collection.findOne(filter, { signal: req.signal })', {
    // A server that never answers: what a driver waits for while it looks for one.
    async begin(req) {
      const { port } = await listen(silent);
      mongo = new MongoClient(`mongodb://127.0.0.1:${port}`, { serverSelectionTimeoutMS: 60_000 });
      return mongo.db('none').collection('none').findOne({}, { signal: req.signal });
    },
    error: 'REASON',
  });

  it(
    'redis: what is on its way is not taken back, the page says so',
    { skip: hasRedis ? false : 'there is no redis-server' },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'cancelling-'));
      const path = join(folder, 'redis.sock');
      const server = spawn('redis-server', [
        '--port',
        '0',
        '--unixsocket',
        path,
        '--save',
        '',
        '--dir',
        folder,
      ]);
      const exited = once(server, 'exit');
      await new Promise((resolve) => {
        server.stdout.on('data', (text) => String(text).includes('eady to accept') && resolve());
      });
      const client = createClient({ socket: { path } });
      client.on('error', () => {});
      try {
        await client.connect();
        const early = new AbortController();
        early.abort();
        const never = await client
          .withAbortSignal(early.signal)
          .get('key')
          .catch((error) => error);
        assert.equal(inWords(never), 'AbortError');
        const late = new AbortController();
        const answer = client.withAbortSignal(late.signal).blPop('none', 0.3);
        await new Promise(setImmediate);
        late.abort();
        assert.equal(await answer, null, 'it was answered as if nothing had happened');
      } finally {
        client.destroy();
        server.kill();
        await exited;
      }
    },
  );
});
