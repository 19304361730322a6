import { testRule } from '../../fixtures/rule-tester';

testRule(
  'drain-on-sigterm',
  [
    `const { drainable } = require('express-hangup');
const express = require('express');
const app = express();
const server = app.listen(3000);
drainable(server);`,
    `process.on('SIGTERM', () => process.exit(0));`,
    `process.on('exit', () => server.close());`,
    `process.on('SIGTERM', () => db.close());`,
    `process.on('SIGHUP', () => server.close());`,
    `const process = require('./own');
const express = require('express');
const app = express();
const server = app.listen(3000);
process.on('SIGTERM', () => server.close());`,
    `emitter.on('SIGTERM', () => server.close());`,
    `const express = require('express');
const app = express();
const server = app.listen(3000);
app.get('/stop', () => server.close());`,
    `const express = require('express');
const app = express();
const server = app.listen(3000);
afterAll(() => server.close());`,
    `process.on('SIGTERM', () => mongoose.connection.close());`,
    `process.once('SIGTERM', shutdown);`,
    `process.on('SIGTERM', () => { queue.close(); });`,
    `process.on('uncaughtException', () => server.close());`,
    `const express = require('express');
const app = express();
const server = app.listen(3000);
process.on('message', (message) => { if (message === 'stop') server.close(); });`,
    `const { drainable } = require('express-hangup');
const express = require('express');
const app = express();
const server = app.listen(3000);
const drain = drainable(server);
process.on('SIGINT', () => drain.drain().then(() => server.close()));`,
  ],
  [
    {
      code: `const express = require('express');
const app = express();
const server = app.listen(3000);
process.on('SIGTERM', () => server.close());`,
      ids: ['close'],
      suggested: [
        {
          drain: `const express = require('express');
const { drainable } = require('express-hangup');
const app = express();
const server = app.listen(3000);
drainable(server);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
const server = app.listen(3000);
process.on('SIGTERM', () => {
  console.log('SIGTERM');
  server.close(() => {
    console.log('closed');
    process.exit(0);
  });
});`,
      ids: ['close'],
      suggested: [
        {
          drain: `const express = require('express');
const { drainable } = require('express-hangup');
const app = express();
const server = app.listen(3000);
drainable(server);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
const server = app.listen(3000);
process.once('SIGTERM', () => server.close(() => process.exit(0)));`,
      ids: ['close'],
      suggested: [
        {
          drain: `const express = require('express');
const { drainable } = require('express-hangup');
const app = express();
const server = app.listen(3000);
drainable(server);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
const server = app.listen(3000);
process.on('SIGINT', () => server.close());`,
      ids: ['close'],
    },
    {
      code: `const express = require('express');
const app = express();
const server = app.listen(3000);
process.on('SIGTERM', () => {
  server.close();
  mongoose.disconnect();
});`,
      ids: ['close'],
    },
    {
      code: `const express = require('express');
const app = express();
const server = app.listen(3000);
process.on('SIGTERM', async () => {
  await server.close();
  process.exit(0);
});`,
      ids: ['close'],
      suggested: [
        {
          drain: `const express = require('express');
const { drainable } = require('express-hangup');
const app = express();
const server = app.listen(3000);
drainable(server);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
const server = app.listen(3000);
const shutdown = () => {
  server.close();
};
process.on('SIGTERM', shutdown);`,
      ids: ['close'],
    },
    {
      code: `const express = require('express');
const app = express();
const server = app.listen(3000);
function shutdown() {
  server.close(() => process.exit());
}
process.on('SIGTERM', shutdown);
process.on('SIGINT', shutdown);`,
      ids: ['close', 'close'],
    },
    {
      code: `const http = require('http');
const web = http.createServer(app);
web.listen(3000);
process.on('SIGTERM', () => web.close());`,
      ids: ['close'],
      suggested: [
        {
          drain: `const http = require('http');
const { drainable } = require('express-hangup');
const web = http.createServer(app);
web.listen(3000);
drainable(web);`,
        },
      ],
    },
    {
      code: `import express from 'express';
const app = express();
const listener = app.listen(3000);
process.on('SIGTERM', () => listener.close());`,
      ids: ['close'],
      suggested: [
        {
          drain: `import express from 'express';
import { drainable } from 'express-hangup';
const app = express();
const listener = app.listen(3000);
drainable(listener);`,
        },
      ],
    },
    {
      code: `import process from 'node:process';
import { server } from './server.js';
process.on('SIGTERM', () => server.close());`,
      ids: ['close'],
      suggested: [
        {
          drain: `import process from 'node:process';
import { server } from './server.js';
import { drainable } from 'express-hangup';
drainable(server);`,
        },
      ],
    },
    {
      code: `let server;
mongoose.connect(url).then(() => {
  server = app.listen(3000);
});
process.on('SIGTERM', () => {
  logger.info('SIGTERM received');
  if (server) {
    server.close();
  }
});`,
      ids: ['close'],
    },
    {
      code: `const express = require('express')
const app = express()
const server = app.listen(3000)
process.on('SIGTERM', () => server.close())`,
      ids: ['close'],
      suggested: [
        {
          drain: `const express = require('express')
const { drainable } = require('express-hangup')
const app = express()
const server = app.listen(3000)
drainable(server)`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
const server = app.listen(3000);
process.on('SIGTERM', function () {
  setTimeout(() => server.close(), 1000);
});`,
      ids: ['close'],
    },
    {
      code: `import express from 'express';
const server = express().listen(3000);
process.on('SIGTERM', (): void => {
  server!.close();
});`,
      filename: 'server.ts',
      ids: ['close'],
      suggested: [
        {
          drain: `import express from 'express';
import { drainable } from 'express-hangup';
const server = express().listen(3000);
drainable(server);`,
        },
      ],
    },
  ],
);
