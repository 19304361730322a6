import { testRule } from '../../fixtures/rule-tester';

testRule(
  'no-connect-timeout',
  [
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());`,
    `const timeout = require('./timeout');
app.use(timeout('5s'));`,
    `app.use(timeout('5s'));`,
    `const timeout = require('express-timeout-handler');
app.use(timeout.handler({ timeout: 1 }));`,
    `const express = require('express');
const app = express();
app.get('/x', (req, res) => {
  if (req.deadline.expired) return;
});`,
    'socket.setTimeout(500);',
    // Names that every object has.
    `const timeout = require('connect-timeout'); // eslint-disable-line
app.get('/x', (req, res) => res.send(req.toString() + req.constructor.name));`,
    'server.timeout = 5000;',
    `import { timeout } from 'rxjs';
pipe(timeout(500));`,
    `const timeouts = {};
timeouts.clearTimeout = 1;`,
    'window.clearTimeout(timer);',
    `import timeout from 'p-timeout';
await timeout(load(), 500);`,
    'globalThis.clearTimeout(timer);',
    `const job = { timedout: true };
if (job.timedout) retry();`,
    `exports.timeout = '5s';`,
    `import { setTimeout } from 'node:timers/promises';
await setTimeout(5);`,
  ],
  [
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout('5s'));
app.get('/x', show);`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup({ deadline: 5000 }));
app.get('/x', show);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout(5000));`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup({ deadline: 5000 }));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout('1m'));`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup({ deadline: 60_000 }));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout('10 seconds'));`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup({ deadline: 10_000 }));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.get('/x', timeout('30s'), show);`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `const express = require('express');
const { deadline } = require('express-hangup');
const app = express();
app.get('/x', deadline(30_000), show);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout('5s'));
app.get('/slow', timeout('2m'), show);`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `const express = require('express');
const { hangup, deadline } = require('express-hangup');
const app = express();
app.use(hangup({ deadline: 5000 }));
app.get('/slow', deadline(120_000), show);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout(process.env.TIMEOUT));`,
      ids: ['stops'],
    },
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout('5s', { respond: false }));`,
      ids: ['stops'],
    },
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout('5s'));
app.use(haltOnTimedout);
function haltOnTimedout(req, res, next) {
  if (!req.timedout) next();
}`,
      ids: ['stops', 'member'],
      suggested: [
        {
          migrate: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup({ deadline: 5000 }));
app.use(haltOnTimedout);
function haltOnTimedout(req, res, next) {
  if (!req.timedout) next();
}`,
        },
        {
          migrate: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout('5s'));
app.use(haltOnTimedout);
function haltOnTimedout(req, res, next) {
  if (!req.deadline.expired) next();
}`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout('5s'));
app.get('/x', (req, res) => {
  req.clearTimeout();
  res.end();
});`,
      ids: ['stops', 'member'],
      suggested: [
        {
          migrate: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup({ deadline: 5000 }));
app.get('/x', (req, res) => {
  req.clearTimeout();
  res.end();
});`,
        },
        {
          migrate: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout('5s'));
app.get('/x', (req, res) => {
  req.deadline.clear();
  res.end();
});`,
        },
      ],
    },
    {
      code: `import express from 'express';
import timeout from 'connect-timeout';
const app = express();
app.use(timeout('5s'));`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `import express from 'express';
import { hangup } from 'express-hangup';
const app = express();
app.use(hangup({ deadline: 5000 }));`,
        },
      ],
    },
    {
      code: `import timeout from 'connect-timeout'
import { gatewayErrorHandler } from 'express-hangup'
import express from 'express'
const app = express()
app.use(timeout('5s'))
app.use(gatewayErrorHandler())`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `import { gatewayErrorHandler, hangup } from 'express-hangup'
import express from 'express'
const app = express()
app.use(hangup({ deadline: 5000 }))
app.use(gatewayErrorHandler())`,
        },
      ],
    },
    {
      code: `const timeout = require('connect-timeout');
module.exports = timeout;`,
      ids: ['stops'],
    },
    {
      code: `const timeout = require('connect-timeout');
const { hangup } = require('express-hangup');
const app = require('express')();
app.use(hangup());
app.get('/x', timeout('9s'), show);`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `const { hangup, deadline } = require('express-hangup');
const app = require('express')();
app.use(hangup());
app.get('/x', deadline(9000), show);`,
        },
      ],
    },
    {
      code: `import timeout from 'connect-timeout';
import express, { type Express } from 'express';
const app: Express = express();
app.use(timeout('500ms'));`,
      filename: 'app.ts',
      ids: ['stops'],
      suggested: [
        {
          migrate: `import { hangup } from 'express-hangup';
import express, { type Express } from 'express';
const app: Express = express();
app.use(hangup({ deadline: 500 }));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
const deadline = 5;
app.get('/x', timeout('5s'), show);`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `const express = require('express');
const { deadline: routeDeadline } = require('express-hangup');
const app = express();
const deadline = 5;
app.get('/x', routeDeadline(5000), show);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const { hangup, deadline } = require('express-hangup');
const timeout = require('connect-timeout');
const app = express();
app.use(timeout('5s'));
app.get('/x', timeout('60s'), show);`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `const express = require('express');
const { hangup, deadline } = require('express-hangup');
const app = express();
app.use(hangup({ deadline: 5000 }));
app.get('/x', deadline(60_000), show);`,
        },
      ],
    },
    {
      code: `import express from 'express';
import { hangup } from 'express-hangup';
import timeout from 'connect-timeout';
const app = express();
app.use(timeout('5s'));
app.get('/x', timeout('60s'), show);`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `import express from 'express';
import { hangup, deadline } from 'express-hangup';
const app = express();
app.use(hangup({ deadline: 5000 }));
app.get('/x', deadline(60_000), show);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const ours = require('express-hangup');
const timeout = require('connect-timeout');
const app = express();
app.use(ours.hangup());
app.get('/x', timeout('60s'), show);`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `const express = require('express');
const ours = require('express-hangup');
const { deadline } = require('express-hangup');
const app = express();
app.use(ours.hangup());
app.get('/x', deadline(60_000), show);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('connect-timeout');
const app = express();
`,
      ids: ['stops'],
      suggested: [
        {
          migrate: `const express = require('express');
const app = express();
`,
        },
      ],
    },
  ],
);
