import { testRule } from '../../fixtures/rule-tester';

testRule(
  'mount-hangup',
  [
    `const express = require('express');
class Api {
  constructor() {
    this.router = express();
    this.router.get('/x', show);
  }
}`,
    `const express = require('express');
const { hangup } = require('express-hangup');
class Server {
  constructor(dev) {
    if (dev) {
      this.app = express();
      this.app.use(hangup());
    } else {
      this.app = express();
      this.app.use(hangup());
    }
  }
}`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', show);
app.listen(3000);`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup({ deadline: 5000 }));
app.use(cors());
app.get('/x', show);
`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.get('/health', ok);
app.use(hangup());
app.get('/x', show);
`,
    `const express = require('express');
const router = express.Router();
router.get('/x', show);`,
    `const express = require('express');
const app = express();
const admin = 1;
exports.unused = admin;`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.set('trust proxy', 1);
app.use(hangup());
app.get('/x', show);
`,
    `import { hangup as first } from 'express-hangup';
import express from 'express';
const app = express();
app.use(first());
app.get('/x', show);`,
    `const koa = require('koa');
const app = new koa();
app.use(show);
app.listen(3000);`,
    `const app = require('./app');
app.listen(3000);`,
    `const express = require('express');
const app = express();
const timeout = require('connect-timeout');
app.use(timeout('5s'));
app.get('/x', show);
`,
    `import express from 'express';
import { hangup } from 'express-hangup';
export const app = express();
app.use(hangup(), helmet());
app.get('/x', show);`,
    `import * as lib from 'express-hangup';
import express from 'express';
const app = express();
app.use(lib.hangup());
app.get('/x', show);`,
    `app.use(express.json());
app.get('/x', show);`,
    `const express = require('express');
const app = express(), routes = addRoutes(app);
app.get('/x', show);`,
    `function express() {}
const app = express();
app.get('/x', show);
app.listen(3000);`,
    {
      code: `import { NestFactory } from '@nestjs/core';
import { hangup } from 'express-hangup';
async function main() {
  const app = await NestFactory.create(AppModule);
  app.use(hangup());
  await app.listen(3000);
}`,
      filename: 'main.ts',
    },
    `const { hangup } = require('express-hangup');
const express = require('express');
class Server {
  constructor() {
    this.app = express();
    this.app.use(hangup());
    this.app.get('/x', show);
  }
}`,
  ],
  [
    {
      code: `var express = require('express'); // the framework
var app = express(); /* the app */
app.get('/x', show);
app.listen(3000);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `var express = require('express'); // the framework
var { hangup } = require('express-hangup');
var app = express(); /* the app */
app.use(hangup());
app.get('/x', show);
app.listen(3000);`,
        },
      ],
    },
    {
      code: `import express from "express"; /* the framework */
const app = express(); /* the app */ app.get('/x', show); /* the route */
app.listen(3000);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `import express from "express"; /* the framework */
import { hangup } from "express-hangup";
const app = express(); app.use(hangup()); /* the app */ app.get('/x', show); /* the route */
app.listen(3000);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show);
app.listen(3000);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', show);
app.listen(3000);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.use(express.json());
app.get('/x', show);
`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.use(express.json());
app.get('/x', show);
`,
        },
      ],
    },
    {
      code: `import express from 'express';
const app = express();
app.get('/x', show);
export default app;`,
      ids: ['missing'],
      suggested: [
        {
          mount: `import express from 'express';
import { hangup } from 'express-hangup';
const app = express();
app.use(hangup());
app.get('/x', show);
export default app;`,
        },
      ],
    },
    {
      code: `import express from 'express';

export const app = express();

app.get('/x', show);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `import express from 'express';
import { hangup } from 'express-hangup';

export const app = express();
app.use(hangup());

app.get('/x', show);`,
        },
      ],
    },
    {
      code: `const app = require('express')();
app.get('/x', show);
module.exports = app;`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const app = require('express')();
const { hangup } = require('express-hangup');
app.use(hangup());
app.get('/x', show);
module.exports = app;`,
        },
      ],
    },
    {
      code: `const express = require('express')
const app = express()
app.get('/x', show)`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express')
const { hangup } = require('express-hangup')
const app = express()
app.use(hangup())
app.get('/x', show)`,
        },
      ],
    },
    {
      code: `'use strict';
var app = require('express')(), x = 1, http = require('http').createServer(app);
app.get('/x', show);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `'use strict';
var app = require('express')(), x = 1, http = require('http').createServer(app);
var { hangup } = require('express-hangup');
app.use(hangup());
app.get('/x', show);`,
        },
      ],
    },
    {
      code: `const express = require('express');
let app;
async function start() {
  app = express();
  app.get('/x', show);
  app.listen(3000);
}`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { hangup } = require('express-hangup');
let app;
async function start() {
  app = express();
  app.use(hangup());
  app.get('/x', show);
  app.listen(3000);
}`,
        },
      ],
    },
    {
      code: `const express = require('express');
function createApp() {
  const app = express(); // one for each test
  app.get('/x', show);
  return app;
}`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { hangup } = require('express-hangup');
function createApp() {
  const app = express(); // one for each test
  app.use(hangup());
  app.get('/x', show);
  return app;
}`,
        },
      ],
    },
    {
      code: `import express, { type Express } from 'express';
const app: Express = express();
app.get('/x', show);`,
      filename: 'app.ts',
      ids: ['missing'],
      suggested: [
        {
          mount: `import express, { type Express } from 'express';
import { hangup } from 'express-hangup';
const app: Express = express();
app.use(hangup());
app.get('/x', show);`,
        },
      ],
    },
    {
      code: `const express = require('express');
class Server {
  constructor() {
    this.app = express();
    this.app.get('/x', show);
  }
}`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { hangup } = require('express-hangup');
class Server {
  constructor() {
    this.app = express();
    this.app.use(hangup());
    this.app.get('/x', show);
  }
}`,
        },
      ],
    },
    {
      code: `import { NestFactory } from '@nestjs/core';
async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(3000);
}
bootstrap();`,
      filename: 'main.ts',
      ids: ['missing'],
      suggested: [
        {
          mount: `import { NestFactory } from '@nestjs/core';
import { hangup } from 'express-hangup';
async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  app.use(hangup());
  await app.listen(3000);
}
bootstrap();`,
        },
      ],
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(express.json());
app.use(hangup());
app.get('/x', show);
`,
      ids: ['late'],
      suggested: [
        {
          move: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.use(express.json());
app.get('/x', show);
`,
        },
      ],
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(session());
app.use(hangup(), cors());
app.get('/x', show);
`,
      ids: ['late'],
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(cors());
app.use('/api', hangup());
app.get('/x', show);
`,
      ids: ['late'],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', show);
`,
      options: { deadline: 10000, context: true },
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup({ deadline: 10000, context: true }));
app.get('/x', show);
`,
        },
      ],
    },
    {
      code: `const express = require('express');
const hangup = require('./phone');
const app = express();
app.get('/x', hangup);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const hangup = require('./phone');
const { hangup: expressHangup } = require('express-hangup');
const app = express();
app.use(expressHangup());
app.get('/x', hangup);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const { deadline } = require('express-hangup');
const app = express();
app.get('/x', deadline(500), show);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { deadline, hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', deadline(500), show);`,
        },
      ],
    },
    {
      code: `const express = require('express');\r
const app = express();\r
app.get('/x', show);\r
`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');\r
const { hangup } = require('express-hangup');\r
const app = express();\r
app.use(hangup());\r
app.get('/x', show);\r
`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
const admin = express();
app.use('/admin', admin);
admin.get('/x', show);
app.get('/x', show);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
const admin = express();
app.use('/admin', admin);
admin.get('/x', show);
app.get('/x', show);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
const routes = require('./routes');
app.use('/x', routes);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
const routes = require('./routes');
app.use('/x', routes);`,
        },
      ],
    },
    {
      code: `const app = require('express')();
const io = require('socket.io')(app);
app.get('/x', handler);`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const app = require('express')();
const { hangup } = require('express-hangup');
app.use(hangup());
const io = require('socket.io')(app);
app.get('/x', handler);`,
        },
      ],
    },
    {
      code: `const express = require('express');
class Server {
  constructor() {
    this.app = express();
    this.app.get('/x', handler);
  }
}
module.exports = Server;
const { Monitor } = require('./monitor');`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express');
const { hangup } = require('express-hangup');
class Server {
  constructor() {
    this.app = express();
    this.app.use(hangup());
    this.app.get('/x', handler);
  }
}
module.exports = Server;
const { Monitor } = require('./monitor');`,
        },
      ],
    },
    {
      code: `const express = require('express')
const { drainable, ...others } = require('express-hangup')
exports.make = () => { const app = express(); app.get('/x', show); return app }`,
      ids: ['missing'],
      suggested: [
        {
          mount: `const express = require('express')
const { drainable, hangup, ...others } = require('express-hangup')
exports.make = () => { const app = express(); app.use(hangup()); app.get('/x', show); return app }`,
        },
      ],
    },
  ],
);
