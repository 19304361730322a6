import { testRule } from '../../fixtures/rule-tester';

testRule(
  'no-request-close',
  [
    `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  res.on('close', () => clearInterval(timer));
});`,
    `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.signal.addEventListener('abort', stop);
});`,
    `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.on('data', collect);
  req.on('end', done);
});`,
    `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  const controller = new AbortController();
  req.on('close', () => controller.abort());
});`,
    `socket.on('close', () => console.log('gone'));`,
    `server.on('close', stop);`,
    `const req = http.request(url);
req.on('close', done);`,
    `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  const upstream = http.request(url);
  upstream.on('close', done);
});`,
    `wss.on('connection', (ws, req) => {
  ws.on('close', () => remove(ws));
});`,
    `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.on('error', log);
});`,
    `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  ((req) => req.on('close', stop))(socket);
});`,
    `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.off('close', stop);
});`,
    `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  db.on('close', stop);
});`,
    `http.createServer((req, res) => {
  req.on('close', stop);
  res.end();
});`,
    `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.emit('close');
});`,
  ],
  [
    {
      code: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.on('close', () => clearInterval(timer));
});`,
      ids: ['close'],
      suggested: [
        {
          response: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  res.on('close', () => clearInterval(timer));
});`,
          signal: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.signal.addEventListener('abort', () => clearInterval(timer));
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.on('close', function () {
    clients = clients.filter((each) => each !== res);
  });
});`,
      ids: ['close'],
      suggested: [
        {
          response: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  res.on('close', function () {
    clients = clients.filter((each) => each !== res);
  });
});`,
          signal: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.signal.addEventListener('abort', function () {
    clients = clients.filter((each) => each !== res);
  });
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.once('close', stop);
});`,
      ids: ['close'],
      suggested: [
        {
          response: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  res.once('close', stop);
});`,
          signal: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.signal.addEventListener('abort', stop);
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.on('aborted', stop);
});`,
      ids: ['close'],
      suggested: [
        {
          response: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  res.on('close', stop);
});`,
          signal: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.signal.addEventListener('abort', stop);
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.addListener('close', stop);
});`,
      ids: ['close'],
      suggested: [
        {
          response: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  res.addListener('close', stop);
});`,
          signal: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  req.signal.addEventListener('abort', stop);
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/events', (request, response) => {
  request.on('close', () => response.end());
});`,
      ids: ['close'],
      suggested: [
        {
          response: `const express = require('express');
const app = express();
app.get('/events', (request, response) => {
  response.on('close', () => response.end());
});`,
          signal: `const express = require('express');
const app = express();
app.get('/events', (request, response) => {
  request.signal.addEventListener('abort', () => response.end());
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/events', (q) => {
  q.on('close', stop);
});`,
      ids: ['close'],
      suggested: [
        {
          signal: `const express = require('express');
const app = express();
app.get('/events', (q) => {
  q.signal.addEventListener('abort', stop);
});`,
        },
      ],
    },
    {
      code: `exports.events = (req, res) => {
  req.on('close', stop);
  res.status(200);
};`,
      ids: ['close'],
      suggested: [
        {
          response: `exports.events = (req, res) => {
  res.on('close', stop);
  res.status(200);
};`,
          signal: `exports.events = (req, res) => {
  req.signal.addEventListener('abort', stop);
  res.status(200);
};`,
        },
      ],
    },
    {
      code: `import { Router } from 'express';
export const router = Router();
router.get('/', (req, res) => {
  req.on('close', stop);
});`,
      ids: ['close'],
      suggested: [
        {
          response: `import { Router } from 'express';
export const router = Router();
router.get('/', (req, res) => {
  res.on('close', stop);
});`,
          signal: `import { Router } from 'express';
export const router = Router();
router.get('/', (req, res) => {
  req.signal.addEventListener('abort', stop);
});`,
        },
      ],
    },
    {
      code: `import type { Request, Response } from 'express';
export function events(req: Request, res: Response): void {
  req.on('close', () => stop());
}`,
      filename: 'events.ts',
      ids: ['close'],
      suggested: [
        {
          response: `import type { Request, Response } from 'express';
export function events(req: Request, res: Response): void {
  res.on('close', () => stop());
}`,
          signal: `import type { Request, Response } from 'express';
export function events(req: Request, res: Response): void {
  req.signal.addEventListener('abort', () => stop());
}`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.use((req, res, next) => {
  req.on('close', log);
  next();
});`,
      ids: ['close'],
      suggested: [
        {
          response: `const express = require('express');
const app = express();
app.use((req, res, next) => {
  res.on('close', log);
  next();
});`,
          signal: `const express = require('express');
const app = express();
app.use((req, res, next) => {
  req.signal.addEventListener('abort', log);
  next();
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.post('/upload', upload.single('file'), (req, res) => {
  req.on('close', () => fs.unlink(req.file.path, noop));
});`,
      ids: ['close'],
      suggested: [
        {
          response: `const express = require('express');
const app = express();
app.post('/upload', upload.single('file'), (req, res) => {
  res.on('close', () => fs.unlink(req.file.path, noop));
});`,
          signal: `const express = require('express');
const app = express();
app.post('/upload', upload.single('file'), (req, res) => {
  req.signal.addEventListener('abort', () => fs.unlink(req.file.path, noop));
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  const timer = setInterval(() => res.write('data: x'), 1000);
  req.on("close", () => clearInterval(timer));
});`,
      ids: ['close'],
      suggested: [
        {
          response: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  const timer = setInterval(() => res.write('data: x'), 1000);
  res.on("close", () => clearInterval(timer));
});`,
          signal: `const express = require('express');
const app = express();
app.get('/events', (req, res) => {
  const timer = setInterval(() => res.write('data: x'), 1000);
  req.signal.addEventListener('abort', () => clearInterval(timer));
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
class Events {
  stream(req, res) {
    req.on('close', () => this.remove(res));
  }
}
const events = new Events();
app.get('/events', events.stream);`,
      ids: ['close'],
      suggested: [
        {
          response: `const express = require('express');
const app = express();
class Events {
  stream(req, res) {
    res.on('close', () => this.remove(res));
  }
}
const events = new Events();
app.get('/events', events.stream);`,
          signal: `const express = require('express');
const app = express();
class Events {
  stream(req, res) {
    req.signal.addEventListener('abort', () => this.remove(res));
  }
}
const events = new Events();
app.get('/events', events.stream);`,
        },
      ],
    },
    {
      code: `import { Controller, Get, Req, Res } from '@nestjs/common';
@Controller()
export class Events {
  @Get()
  stream(@Req() req: any, @Res() res: any) {
    req.on('close', () => this.stop());
  }
}`,
      filename: 'events.ts',
      ids: ['close'],
      suggested: [
        {
          response: `import { Controller, Get, Req, Res } from '@nestjs/common';
@Controller()
export class Events {
  @Get()
  stream(@Req() req: any, @Res() res: any) {
    res.on('close', () => this.stop());
  }
}`,
          signal: `import { Controller, Get, Req, Res } from '@nestjs/common';
@Controller()
export class Events {
  @Get()
  stream(@Req() req: any, @Res() res: any) {
    req.signal.addEventListener('abort', () => this.stop());
  }
}`,
        },
      ],
    },
  ],
);
