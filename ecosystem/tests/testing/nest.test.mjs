// A right app on Nest that knows nothing of this package is not accused, and one that is wrong is.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as common from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { conformance, faultyUpstream } from 'express-hangup/testing';

const DEADLINE = 250;

/** Aborts when the client leaves and when the deadline passes. */
function endOf(res) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), DEADLINE);
  res.on('close', () => {
    clearTimeout(timer);
    if (!res.writableEnded) controller.abort();
  });
  return controller.signal;
}

/** A module with one controller, which calls the upstream; `wrap` makes an exception of what fails. */
function moduleFor(url, wrap) {
  class Orders {
    async all(req, body, res) {
      const signal = endOf(res);
      try {
        const init = req.method === 'GET' ? {} : { method: req.method, body: JSON.stringify(body) };
        return await (await fetch(url, { ...init, signal })).json();
      } catch (error) {
        throw wrap(error, signal);
      }
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Orders.prototype, 'all');
  common.All('orders')(Orders.prototype, 'all', descriptor);
  common.HttpCode(200)(Orders.prototype, 'all', descriptor);
  common.Req()(Orders.prototype, 'all', 0);
  common.Body()(Orders.prototype, 'all', 1);
  common.Res({ passthrough: true })(Orders.prototype, 'all', 2);
  common.Controller()(Orders);
  class AppModule {}
  common.Module({ controllers: [Orders] })(AppModule);
  return AppModule;
}

async function judged(wrap, more = {}) {
  const upstream = await faultyUpstream();
  const app = await NestFactory.create(moduleFor(upstream.url, wrap), { logger: false });
  await app.listen(0, '127.0.0.1');
  try {
    return await conformance(app.getHttpServer(), {
      upstream,
      route: '/orders',
      deadline: DEADLINE,
      ...more,
    });
  } finally {
    await app.close();
    await upstream.close();
  }
}

test('conformance() does not accuse a right app on Nest', async () => {
  const result = await judged((_error, signal) =>
    signal.aborted ? new common.GatewayTimeoutException() : new common.BadGatewayException(),
  );
  result.expectRight();
  assert.ok(result.unseen < 4, result.table());
});

test('conformance() names the defect of a Nest app that leaves errors to the framework', async () => {
  const { cells } = await judged((error) => error, { faults: ['ok', 'reset'] });
  assert.ok(cells.some(({ verdict, why }) => verdict === 'wrong' && why.startsWith('500 instead of 50')));
});
