const express = require('express');
const { gatewayErrorHandler, hangup } = require('express-hangup');

/** An app with one route, which calls an upstream. */
exports.createApp = (upstreamUrl) => {
  const app = express();
  app.use(hangup({ deadline: 300 }));
  app.get('/api/data', async (req, res) => {
    const answer = await fetch(`${upstreamUrl}/data`, { signal: req.signal });
    res.json(await answer.json());
  });
  app.use(gatewayErrorHandler());
  return app;
};
