import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conformance, faultyUpstream } from 'express-hangup/testing';
import { createApp } from './app.cjs';

test('the whole fault matrix is right', async () => {
  const upstream = await faultyUpstream();
  const result = await conformance(createApp(upstream.url), {
    route: '/api/data',
    methods: ['GET'],
    upstream,
    deadline: 300,
  });
  await upstream.close();
  assert.ok(result.ok, result.table());
  assert.equal(result.unseen, 0);
});
