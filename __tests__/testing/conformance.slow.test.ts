import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express from 'express';
import { gatewayErrorHandler, hangup } from 'express-hangup';
import { conformance, faultyUpstream } from 'express-hangup/testing';

describe('conformance(): the whole matrix', () => {
  it.each(['parses', 'streams'])(
    'finds no wrong cell in an app that %s what its upstream says',
    async (how) => {
      const upstream = await faultyUpstream();
      const app = express().use(hangup({ deadline: 300, stall: 300 }), express.json());
      app.all('/data', async (req, res) => {
        const init = { method: req.method, signal: req.signal };
        const answer = await fetch(
          upstream.url,
          req.method === 'GET' ? init : { ...init, body: JSON.stringify(req.body) },
        );
        if (how === 'parses') res.json(await answer.json());
        else await pipeline(Readable.fromWeb(answer.body as never), res);
      });
      app.use(gatewayErrorHandler());
      const result = await conformance(app, { route: '/data', upstream, deadline: 300 });
      await upstream.close();
      result.expectRight();
      expect(result).toMatchObject({ right: 128, wrong: 0, unseen: 0 });
    },
  );
});
