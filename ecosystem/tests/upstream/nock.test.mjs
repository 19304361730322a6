// docs/testing-upstreams.md, "nock": calls of upstream() answered by nock.
import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { upstream } from 'express-hangup/upstream';

// nock 15 uses Promise.withResolvers(), which Node 20 does not have.
const skip = Promise.withResolvers === undefined && 'nock 15 needs Node 22 or later';
const nock = skip ? undefined : (await import('nock')).default;

describe('nock and upstream()', { skip }, () => {
  const users = upstream('http://users.test', {
    connect: { lookup: (_name, _options, done) => done(null, []) },
  });
  if (!skip) nock.disableNetConnect();

  afterEach(() => nock.cleanAll());
  after(async () => {
    nock.enableNetConnect();
    nock.restore();
    await users.close();
  });

  it('answers fetch() and request()', async () => {
    nock('http://users.test').get('/v1/users/7').times(2).reply(200, { name: 'Ada' });
    const response = await users.fetch(null, '/v1/users/7');
    assert.deepEqual(await response.json(), { name: 'Ada' });
    const { statusCode, body } = await users.request(null, '/v1/users/7');
    assert.equal(statusCode, 200);
    assert.deepEqual(await body.json(), { name: 'Ada' });
    assert.ok(nock.isDone());
  });

  it('sees each retry', async () => {
    nock('http://users.test').get('/').times(2).reply(503).get('/').reply(200, 'at last');
    assert.equal(await (await users.fetch(null, '/')).text(), 'at last');
    assert.equal(users.stats().retries, 2);
  });

  it('lets nothing else out', async () => {
    await assert.rejects(users.fetch(null, '/unknown', { retries: 0 }));
  });

  it('sees what a POST sends', async () => {
    nock('http://users.test').post('/v1/users', { name: 'Grace' }).reply(201);
    const { statusCode, body } = await users.request(null, '/v1/users', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Grace' }),
    });
    await body.dump();
    assert.equal(statusCode, 201);
  });
});
