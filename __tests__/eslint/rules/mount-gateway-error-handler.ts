import { testRule } from '../../fixtures/rule-tester';

testRule(
  'mount-gateway-error-handler',
  [
    `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler());`,
    `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler());
app.use((err, req, res, next) => res.status(500).end());`,
    `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use((req, res) => res.sendStatus(404));
app.use(gatewayErrorHandler());
app.use(errorHandler);`,
    `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use((err, req, res, next) => {
  log(err);
  next(err);
});
app.use(gatewayErrorHandler());`,
    `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler());
const server = app.listen(3000);`,
    `const express = require('express');
const app = express();
app.listen(3000);`,
    `const express = require('express');
const router = express.Router();
router.get('/x', show);`,
    `import { gatewayErrorHandler as last } from 'express-hangup';
import express from 'express';
const app = express();
app.get('/x', show);
app.use(last());`,
    `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler({ onFault: log }), errorHandler);`,
    `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler());
app.use((err, req, res, next) => res.status(500).end(), (req, res) => res.status(404).end());
app.use((req, res) => res.status(404).end());`,
    `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler());
app.use(onError);
app.use(notFound);
app.use('*', (req, res) => res.sendStatus(404));
function onError(err, req, res, next) {
  res.end();
}`,
    `const koa = require('koa');
const app = new koa();
app.use(show);`,
    {
      code: `import { NestFactory } from '@nestjs/core';
async function main() {
  const app = await NestFactory.create(AppModule, new FastifyAdapter());
  await app.listen(3000);
}`,
    },
    {
      code: `import { NestFactory } from '@nestjs/core';
async function main() {
  const app = await NestFactory.create(AppModule);
  app.useGlobalFilters(new GatewayFilter(app.getHttpAdapter()));
  app.use(helmet());
  await app.listen(3000);
}`,
      filename: 'main.ts',
    },
    `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
setup(app);
function setup(app) {
  app.get('/x', show);
  app.use(gatewayErrorHandler());
}`,
    `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(logErrors);
app.use(gatewayErrorHandler());
function logErrors(err, req, res, next) {
  next(err);
}`,
    `const app = require('./app');
app.get('/x', show);`,
    `function express() {}
const app = express();
app.get('/x', show);`,
    `const { gatewayErrorHandler } = require('express-hangup');
const express = require('express');
class Server {
  constructor() {
    this.app = express();
    this.routes();
    this.app.use(gatewayErrorHandler());
  }
  routes() {
    this.app.get('/x', show);
  }
}`,
  ],
  [
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show);
app.listen(3000);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler());
app.listen(3000);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.use(express.json());
app.get('/x', show);
app.post('/x', create);
app.listen(3000, () => console.log('up'));`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.use(express.json());
app.get('/x', show);
app.post('/x', create);
app.use(gatewayErrorHandler());
app.listen(3000, () => console.log('up'));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show);
app.use((err, req, res, next) => res.status(500).end());`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler());
app.use((err, req, res, next) => res.status(500).end());`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show);
app.use((req, res) => res.sendStatus(404));
app.use(errorHandler);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use((req, res) => res.sendStatus(404));
app.use(gatewayErrorHandler());
app.use(errorHandler);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show);
app.use(errorConverter);
app.use(errorHandler);
module.exports = app;`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler());
app.use(errorConverter);
app.use(errorHandler);
module.exports = app;`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show);
routes(app);
app.listen(3000);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
routes(app);
app.use(gatewayErrorHandler());
app.listen(3000);`,
        },
      ],
    },
    {
      code: `import express from 'express';
export const app = express();
app.get('/x', show);
export default app;`,
      ids: ['missing'],
      suggested: [
        {
          mount: `import express from 'express';
import { gatewayErrorHandler } from 'express-hangup';
export const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler());
export default app;`,
        },
      ],
    },
    {
      code: `import express from 'express'
const app = express()
app.get('/x', show)
http.createServer(app).listen(80)`,
      ids: ['missing'],
      suggested: [
        {
          mount: `import express from 'express'
import { gatewayErrorHandler } from 'express-hangup'
const app = express()
app.get('/x', show)
app.use(gatewayErrorHandler())
http.createServer(app).listen(80)`,
        },
      ],
    },
    {
      code: `const express = require('express');
function createApp() {
  const app = express();
  app.get('/x', show);
  return app;
}`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
function createApp() {
  const app = express();
  app.get('/x', show);
  app.use(gatewayErrorHandler());
  return app;
}`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show);
app.use(middlewares.errorHandler());`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler());
app.use(middlewares.errorHandler());`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show);
Sentry.setupExpressErrorHandler(app);
app.use(onError);
function onError(err, req, res, next) {
  res.end();
}`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use(gatewayErrorHandler());
Sentry.setupExpressErrorHandler(app);
app.use(onError);
function onError(err, req, res, next) {
  res.end();
}`,
        },
      ],
    },
    {
      code: `const express = require('express');
class Server {
  constructor() {
    this.app = express();
    this.middlewares();
    this.routes();
    this.errorHandling();
  }
  middlewares() {
    this.app.use(express.json());
  }
}`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
class Server {
  constructor() {
    this.app = express();
    this.middlewares();
    this.routes();
    this.app.use(gatewayErrorHandler());
    this.errorHandling();
  }
  middlewares() {
    this.app.use(express.json());
  }
}`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.use(cors());
async function start() {
  app.get('/x', show);
}
start();`,
      ids: ['byHand'],
    },
    {
      code: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.use(gatewayErrorHandler());
app.get('/x', show);
`,
      ids: ['early'],
    },
    {
      code: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
app.use((err, req, res, next) => res.status(500).json({}));
app.use(gatewayErrorHandler());`,
      ids: ['late'],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show); // the one route
`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show); // the one route
app.use(gatewayErrorHandler());
`,
        },
      ],
    },
    {
      code: `const express = require('express');
class Server {
  constructor() {
    this.app = express();
  }
  async config() {
    this.app.get('/x', show);
  }
}`,
      ids: ['byHand'],
    },
    {
      code: `import express, { type ErrorRequestHandler } from 'express';
const app = express();
app.get('/x', show);
const handler: ErrorRequestHandler = (err, req, res, next) => {
  res.status(500).end();
};
app.use(handler);`,
      filename: 'app.ts',
      ids: ['missing'],
      suggested: [
        {
          mount: `import express, { type ErrorRequestHandler } from 'express';
import { gatewayErrorHandler } from 'express-hangup';
const app = express();
app.get('/x', show);
const handler: ErrorRequestHandler = (err, req, res, next) => {
  res.status(500).end();
};
app.use(gatewayErrorHandler());
app.use(handler);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show);
if (dev) app.use(errors());
app.use('/api', api);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', show);
if (dev) app.use(errors());
app.use('/api', api);
app.use(gatewayErrorHandler());`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', handler);
app.post('/y', handleError(async (req, res) => res.json(await load())));`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', handler);
app.post('/y', handleError(async (req, res) => res.json(await load())));
app.use(gatewayErrorHandler());`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.set('port', 3000);
app.get('/x', handler);
if (process.env.NODE_ENV === 'development') {
  app.use(errorHandler());
} else {
  app.use((err, req, res, next) => res.status(500).send('Server Error'));
}
app.listen(app.get('port'), () => console.log(app.get('port')));`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.set('port', 3000);
app.get('/x', handler);
app.use(gatewayErrorHandler());
if (process.env.NODE_ENV === 'development') {
  app.use(errorHandler());
} else {
  app.use((err, req, res, next) => res.status(500).send('Server Error'));
}
app.listen(app.get('port'), () => console.log(app.get('port')));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', handler);

// what went wrong
// is answered here
app.use((err, req, res, next) => res.status(500).end());
app.use((req, res) => res.status(404).end());`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', handler);

app.use(gatewayErrorHandler());
// what went wrong
// is answered here
app.use((err, req, res, next) => res.status(500).end());
app.use((req, res) => res.status(404).end());`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', handler);
app.use(
  (err, req, res, next) => res.status(500).end(),
  (req, res) => res.status(404).end(),
);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
app.get('/x', handler);
app.use(gatewayErrorHandler());
app.use(
  (err, req, res, next) => res.status(500).end(),
  (req, res) => res.status(404).end(),
);`,
        },
      ],
    },
    {
      code: `import { NestFactory } from '@nestjs/core';
async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(3000);
}`,
      filename: 'main.ts',
      ids: ['nest'],
      suggested: [
        {
          filter: `import { NestFactory, BaseExceptionFilter } from '@nestjs/core';
import { Catch } from '@nestjs/common';
import { gatewayErrorHandler } from 'express-hangup';

const answerFault = gatewayErrorHandler();

@Catch()
class GatewayFilter extends BaseExceptionFilter {
  override catch(error: unknown, host: import('@nestjs/common').ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const http = host.switchToHttp();
    answerFault(error, http.getRequest(), http.getResponse(), (other: unknown) => super.catch(other, host));
  }
}
async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  app.useGlobalFilters(new GatewayFilter(app.getHttpAdapter()));
  await app.listen(3000);
}`,
        },
      ],
    },
    {
      code: `import { NestFactory } from '@nestjs/core';
async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  app.useGlobalFilters(new AllExceptionsFilter());
  await app.listen(3000);
}`,
      filename: 'main.ts',
      ids: ['nest'],
    },
    {
      code: `const express = require('express');
const app = express();
configure(app);
app.get('/metrics', metrics);
function configure(app) {
  app.get('/x', handler);
  app.use(errorHandler());
}`,
      ids: ['byHand'],
    },
    {
      code: `const express = require('express');
const app = express();
ready.then(() => {
  configure(app);
});
app.get('/metrics', metrics);`,
      ids: ['byHand'],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show);
require('./a-file-that-is-not-there')(app);
app.listen(3000);`,
      ids: ['byHand'],
    },
    {
      code: `const express = require('express');
const app = express();
require('./a-file-that-is-not-there')(app);
app.use((err, req, res, next) => res.status(500).end());`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
require('./a-file-that-is-not-there')(app);
app.use(gatewayErrorHandler());
app.use((err, req, res, next) => res.status(500).end());`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
// routes
app.get('/x', show); app.use(onError);
function onError(err, req, res, next) {
  res.end();
}`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { gatewayErrorHandler } = require('express-hangup');
const app = express();
// routes
app.get('/x', show); app.use(gatewayErrorHandler());
app.use(onError);
function onError(err, req, res, next) {
  res.end();
}`,
        },
      ],
    },
  ],
);
