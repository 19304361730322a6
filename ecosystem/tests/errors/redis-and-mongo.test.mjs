// What classifyError() makes of Redis and MongoDB clients. A real Redis; for MongoDB the real driver against TCP that misbehaves,
// because neither npm nor Debian has a MongoDB server: packages such as mongodb-memory-server download theirs from elsewhere.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { classifyError } from 'express-hangup';
import Redis from 'ioredis';
import { MongoClient } from 'mongodb';
import mongoose from 'mongoose';
import { createClient } from 'redis';
import { freePort } from '../databases/servers/postgres.mjs';
import { endWithProcess } from '../databases/servers/user.mjs';
import { errorOf, openFaultyPorts } from './faulty-ports.mjs';

const REDIS = '/usr/bin/redis-server';

describe('classifyError() and clients of Redis and MongoDB', () => {
  let ports;
  before(async () => (ports = await openFaultyPorts()));
  after(() => ports.close());

  const host = '127.0.0.1';

  function nodeRedis(socket, options = {}) {
    const client = createClient({
      socket: { host, connectTimeout: 300, reconnectStrategy: false, ...socket },
      ...options,
    });
    client.on('error', () => {});
    return client;
  }
  const withNodeRedis = (socket, options) => async () => {
    const client = nodeRedis(socket, options);
    try {
      await client.connect();
      await client.get('a');
    } finally {
      if (client.isOpen) client.destroy();
    }
  };

  for (const [port, code] of Object.entries({
    resetting: 'UPSTREAM_RESET',
    closing: 'UPSTREAM_RESET',
    nobody: 'UPSTREAM_REFUSED',
  })) {
    it(`node-redis: a server that is ${port} is ${code}`, async () => {
      assert.equal(classifyError(await errorOf(withNodeRedis({ port: ports[port] })))?.code, code);
    });
  }

  it('node-redis: its limits, a client that is closed and one that is offline', async () => {
    const silent = await errorOf(withNodeRedis({ port: ports.silent, socketTimeout: 200 }));
    assert.equal(classifyError(silent)?.code, 'UPSTREAM_TIMEOUT');
    const closed = await errorOf(() => nodeRedis({ port: ports.nobody }).get('a'));
    assert.equal(classifyError(closed)?.code, 'UPSTREAM_UNREACHABLE');
    for (const [options, code] of [
      [{ commandOptions: { timeout: 100 } }, 'UPSTREAM_TIMEOUT'],
      [{ disableOfflineQueue: true }, 'UPSTREAM_UNREACHABLE'],
    ]) {
      const client = nodeRedis({ port: ports.nobody, reconnectStrategy: 3_000 }, options);
      const failed = new Promise((resolve) => client.once('error', resolve));
      client.connect().catch(() => {});
      await failed;
      const error = await errorOf(() => client.get('a'));
      client.destroy();
      assert.equal(classifyError(error)?.code, code, `${error}`);
    }
  });

  const withIoredis = (port) => async () => {
    const client = new Redis({
      host,
      port,
      commandTimeout: 500,
      maxRetriesPerRequest: 1,
      retryStrategy: () => 10,
    });
    client.on('error', () => {});
    try {
      await client.get('a');
    } finally {
      client.disconnect();
    }
  };
  for (const [port, code] of Object.entries({
    silent: 'UPSTREAM_TIMEOUT',
    closing: 'UPSTREAM_UNREACHABLE',
    nobody: 'UPSTREAM_UNREACHABLE',
  })) {
    it(`ioredis: a server that is ${port} is ${code}`, async () => {
      assert.equal(classifyError(await errorOf(withIoredis(ports[port])))?.code, code);
    });
  }

  it(
    'a Redis that is killed under a command is UPSTREAM_RESET to node-redis, and unreachable to ioredis, which tries again',
    { skip: existsSync(REDIS) ? false : `no Redis: no ${REDIS}` },
    async () => {
      const port = await freePort();
      const server = endWithProcess(
        spawn(REDIS, ['--port', String(port), '--bind', host, '--save', '', '--appendonly', 'no'], {
          stdio: 'pipe',
        }),
      );
      await new Promise((resolve) => {
        server.stdout.on(
          'data',
          (chunk) => String(chunk).includes('Ready to accept connections') && resolve(),
        );
      });
      const first = nodeRedis({ port });
      await first.connect();
      const second = new Redis({ host, port, maxRetriesPerRequest: 1, retryStrategy: () => 10 });
      second.on('error', () => {});
      await second.get('a');
      const waiting = [errorOf(() => first.blPop('list', 0)), errorOf(() => second.blpop('list', 0))];
      const third = nodeRedis({ port });
      await third.connect();
      while ((await third.sendCommand(['CLIENT', 'LIST'])).split('cmd=blpop').length < 3);
      server.kill('SIGKILL');
      const codes = (await Promise.all(waiting)).map((error) => classifyError(error)?.code);
      second.disconnect();
      assert.deepEqual(codes, ['UPSTREAM_RESET', 'UPSTREAM_UNREACHABLE']);
    },
  );

  const limits = { serverSelectionTimeoutMS: 300, connectTimeoutMS: 200 };
  const withMongo = (port) => async () => {
    const client = new MongoClient(`mongodb://${host}:${port}`, limits);
    try {
      await client.db('a').collection('b').findOne({});
    } finally {
      await client.close();
    }
  };
  const withMongoose = (port) => async () => {
    const connection = mongoose.createConnection(`mongodb://${host}:${port}`, limits);
    connection.on('error', () => {});
    await connection.asPromise();
  };
  for (const [name, call] of Object.entries({ mongodb: withMongo, mongoose: withMongoose })) {
    for (const [port, code] of Object.entries({
      silent: 'UPSTREAM_TIMEOUT',
      resetting: 'UPSTREAM_RESET',
      nobody: 'UPSTREAM_REFUSED',
    })) {
      it(`${name}: a server that is ${port} is ${code}`, async () => {
        assert.equal(classifyError(await errorOf(call(ports[port])))?.code, code);
      });
    }
  }

  it('mongoose: an operation that waits for a connection for too long is UPSTREAM_TIMEOUT', async () => {
    const connection = mongoose.createConnection(`mongodb://${host}:${ports.nobody}`, {
      ...limits,
      bufferTimeoutMS: 100,
    });
    connection.on('error', () => {});
    connection.asPromise().catch(() => {});
    const Thing = connection.model('Thing', new mongoose.Schema({ a: Number }));
    const error = await errorOf(() => Thing.findOne({}));
    assert.equal(classifyError(error)?.code, 'UPSTREAM_TIMEOUT');
    await connection.close().catch(() => {});
  });
});
