import { testRule } from '../../fixtures/rule-tester';

testRule(
  'no-express-timeout-handler',
  [
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());`,
    `const timeout = require('./timeout');
app.use(timeout.handler({ timeout: 5000 }));`,
    'app.use(timeout.handler({ timeout: 5000 }));',
    `const timeout = require('connect-timeout');
app.use(timeout('5s'));`,
    `import { handler } from './handler.js';
handler({ timeout: 1 });`,
    'exports.handler = async (event) => event;',
    'router.set(5);',
    `app.set('timeout', 5000);`,
    `import timeout from 'connect-timeout';
timeout.handler({});`,
    'const options = { timeout: 5000, onTimeout };',
    `const { handler } = require('lambda');
handler();`,
    'server.setTimeout(5000);',
    `import t from 'timeout';
t.set(1);`,
    `const timeout = { handler() {}, set() {} };
timeout.set(5);`,
    'axios.create({ timeout: 5000 });',
  ],
  [
    {
      code: `const express = require('express');
const timeout = require('express-timeout-handler');
const app = express();
app.use(timeout.handler({ timeout: 5000 }));`,
      ids: ['idle'],
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
const timeout = require('express-timeout-handler');
const app = express();
app.use(timeout.handler({
  timeout: 5000,
  onTimeout: (req, res) => res.status(503).send('late'),
  disable: ['write'],
}));
app.get('/x', show);`,
      ids: ['idle'],
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
const timeout = require('express-timeout-handler');
const app = express();
const options = { timeout: 5000 };
app.use(timeout.handler(options));`,
      ids: ['idle'],
      suggested: [
        {
          migrate: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
const options = { timeout: 5000 };
app.use(hangup({ deadline: 5000 }));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('express-timeout-handler');
const app = express();
app.get('/slow', timeout.set(60000), show);`,
      ids: ['idle'],
      suggested: [
        {
          migrate: `const express = require('express');
const { deadline } = require('express-hangup');
const app = express();
app.get('/slow', deadline(60000), show);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('express-timeout-handler');
const app = express();
app.use(timeout.handler({ timeout: LIMIT }));
app.get('/slow', timeout.set(4 * LIMIT), show);`,
      ids: ['idle'],
      suggested: [
        {
          migrate: `const express = require('express');
const { hangup, deadline } = require('express-hangup');
const app = express();
app.use(hangup({ deadline: LIMIT }));
app.get('/slow', deadline(4 * LIMIT), show);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('express-timeout-handler');
const app = express();
app.use(timeout.handler(options));`,
      ids: ['idle'],
    },
    {
      code: `const express = require('express');
const timeout = require('express-timeout-handler');
const app = express();
app.use(timeout.handler({ onTimeout }));`,
      ids: ['idle'],
    },
    {
      code: `const express = require('express');
const timeout = require('express-timeout-handler');
const app = express();
app.use('/api', timeout.handler({ timeout: 5000 }));`,
      ids: ['idle'],
      suggested: [
        {
          migrate: `const express = require('express');
const { deadline } = require('express-hangup');
const app = express();
app.use('/api', deadline(5000));`,
        },
      ],
    },
    {
      code: `import timeout from 'express-timeout-handler';
import express from 'express';
const app = express();
app.use(timeout.handler({ timeout: 5000 }));`,
      ids: ['idle'],
      suggested: [
        {
          migrate: `import { hangup } from 'express-hangup';
import express from 'express';
const app = express();
app.use(hangup({ deadline: 5000 }));`,
        },
      ],
    },
    {
      code: `import * as timeout from 'express-timeout-handler';
import express from 'express';
const router = express.Router();
router.get('/x', timeout.set(100), show);`,
      ids: ['idle'],
      suggested: [
        {
          migrate: `import { deadline } from 'express-hangup';
import express from 'express';
const router = express.Router();
router.get('/x', deadline(100), show);`,
        },
      ],
    },
    {
      code: `const { handler } = require('express-timeout-handler');
const app = require('express')();
app.use(handler({ timeout: 5000 }));`,
      ids: ['idle'],
      suggested: [
        {
          migrate: `const { hangup } = require('express-hangup');
const app = require('express')();
app.use(hangup({ deadline: 5000 }));`,
        },
      ],
    },
    {
      code: `const timeout = require('express-timeout-handler')
const app = require('express')()
app.use(timeout.handler({ timeout: 5000 }))`,
      ids: ['idle'],
      suggested: [
        {
          migrate: `const { hangup } = require('express-hangup')
const app = require('express')()
app.use(hangup({ deadline: 5000 }))`,
        },
      ],
    },
    {
      code: `const timeout = require('express-timeout-handler');
module.exports = timeout;`,
      ids: ['idle'],
    },
    {
      code: `const express = require('express');
const timeout = require('express-timeout-handler');
const app = express();
`,
      ids: ['idle'],
      suggested: [
        {
          migrate: `const express = require('express');
const app = express();
`,
        },
      ],
    },
    {
      code: `import timeout from 'express-timeout-handler';
import express from 'express';
export const app = express();
app.use(timeout.handler({ timeout: 1_000 }));`,
      filename: 'app.ts',
      ids: ['idle'],
      suggested: [
        {
          migrate: `import { hangup } from 'express-hangup';
import express from 'express';
export const app = express();
app.use(hangup({ deadline: 1_000 }));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const timeout = require('express-timeout-handler');
const app = express();
const hangup = 1;
app.use(timeout.handler({ timeout: 5000 }));`,
      ids: ['idle'],
      suggested: [
        {
          migrate: `const express = require('express');
const { hangup: expressHangup } = require('express-hangup');
const app = express();
const hangup = 1;
app.use(expressHangup({ deadline: 5000 }));`,
        },
      ],
    },
  ],
);
