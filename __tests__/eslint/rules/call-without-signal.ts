import { testRule } from '../../fixtures/rule-tester';

testRule(
  'call-without-signal',
  [
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  await fetch(url, { signal: req.signal });
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  await fetch(url, { signal });
  const { signal } = req;
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const fetch = require('./fetch-stub');
  await fetch(url);
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, fetch) => {
  await fetch(url);
});`,
    `async function refresh() {
  await fetch(url);
}`,
    `await_();
function await_() { return fetch(url); }`,
    `const express = require('express');
const app = express();
const axios = require('axios');
app.get('/x', async (req, res) => {
  await axios.get(url, { signal: req.signal });
});`,
    `const express = require('express');
const app = express();
const axios = require('axios');
app.get('/x', async (req, res) => {
  await axios.isAxiosError(e);
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const options = { signal: req.signal };
  await fetch(url, options);
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  await fetch(...args);
});`,
    `const koa = new Koa();
koa.use(async (ctx) => {
  ctx.body = await fetch(url);
});`,
    `fastify.get('/x', async (request, reply) => {
  await fetch(url);
});`,
    `setInterval(async () => {
  await fetch(url);
}, 1000);`,
    `const server = http.createServer(async (req, res) => {
  await fetch(url);
  res.end();
});`,
    `const express = require('express');
const app = express();
const { exec } = require('child_process');
app.get('/x', (req, res) => {
  exec('ls', { signal: req.signal }, (err, out) => res.send(out));
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  await fetch(url, { signal: AbortSignal.any([req.signal, AbortSignal.timeout(500)]) });
});`,
    `import { rest } from 'msw';
export const handlers = [rest.get('/x', (req, res, ctx) => res(ctx.json({})))];`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  await fetch(url, { signal: controller.signal });
});`,
    `const express = require('express');
const app = express();
app.get('/x', (req, res) => {
  client.send('x');
});`,
    {
      code: `import { Injectable } from '@nestjs/common';
@Injectable()
export class Service {
  async find() {
    return fetch('http://x');
  }
}`,
      filename: 'service.ts',
    },
  ],
  [
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x');
  res.json(await r.json());
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x', { signal: req.signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch(\`http://api/\${req.params.id}\`, { headers: { accept: 'text/html' } });
  res.json(await r.json());
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch(\`http://api/\${req.params.id}\`, { headers: { accept: 'text/html' }, signal: req.signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x', {
    method: 'POST',
    body: JSON.stringify(req.body),
  });
  res.json(await r.json());
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x', {
    method: 'POST',
    body: JSON.stringify(req.body),
    signal: req.signal,
  });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x', {
    headers,
    method: 'GET' // no comma
  });
  res.json(await r.json());
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x', {
    headers,
    method: 'GET', // no comma
    signal: req.signal
  });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const options = { headers: {} };
  const r = await fetch('http://api/x', options);
  res.json(await r.json());
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const options = { headers: {} };
  const r = await fetch('http://api/x', { signal: req.signal, ...options });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x', { ...defaults, cache: 'no-store' });
  res.json(await r.json());
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x', { signal: req.signal, ...defaults, cache: 'no-store' });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch(
    'http://api/x',
  );
  res.json(await r.json());
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch(
    'http://api/x',
    { signal: req.signal },
  );
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const app = express();
const axios = require('axios');
app.get('/x', async (request, response) => {
  const { data } = await axios.get('http://api/x');
  response.json(data);
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
const axios = require('axios');
app.get('/x', async (request, response) => {
  const { data } = await axios.get('http://api/x', { signal: request.signal });
  response.json(data);
});`,
    },
    {
      code: `const express = require('express');
const app = express();
const axios = require('axios');
app.post('/x', async (req, res) => {
  const { data } = await axios.post('http://api/x');
  res.json(data);
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
const axios = require('axios');
app.post('/x', async (req, res) => {
  const { data } = await axios.post('http://api/x', undefined, { signal: req.signal });
  res.json(data);
});`,
    },
    {
      code: `const express = require('express');
const app = express();
const axios = require('axios');
app.post('/x', async (req, res) => {
  const { data } = await axios.post('http://api/charge', req.body);
  await Order.create(data);
  res.json(data);
});`,
      ids: ['uncertain'],
      suggested: [
        {
          add: `const express = require('express');
const app = express();
const axios = require('axios');
app.post('/x', async (req, res) => {
  const { data } = await axios.post('http://api/charge', req.body, { signal: req.signal });
  await Order.create(data);
  res.json(data);
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
const axios = require('axios');
app.get('/x', (req, res, next) => {
  axios({ url: 'http://api/x' })
    .then(({ data }) => res.json(data))
    .catch(next);
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
const axios = require('axios');
app.get('/x', (req, res, next) => {
  axios({ url: 'http://api/x', signal: req.signal })
    .then(({ data }) => res.json(data))
    .catch(next);
});`,
    },
    {
      code: `const express = require('express');
const app = express();
const axios = require('axios');
const api = axios.create({ baseURL });
app.get('/x', async (q, s) => {
  s.json((await api.get('/x')).data);
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
const axios = require('axios');
const api = axios.create({ baseURL });
app.get('/x', async (q, s) => {
  s.json((await api.get('/x', { signal: q.signal })).data);
});`,
    },
    {
      code: `import { Router } from 'express';
import got from 'got';
const router = Router();
router.get('/x', async (req, res) => {
  res.json(await got('http://api/x').json());
});
export default router;`,
      ids: ['missing'],
      fixed: `import { Router } from 'express';
import got from 'got';
const router = Router();
router.get('/x', async (req, res) => {
  res.json(await got('http://api/x', { signal: req.signal }).json());
});
export default router;`,
    },
    {
      code: `import ky from 'ky';
import express from 'express';
const router = express.Router();
router.route('/x').get(async (req, res) => {
  res.json(await ky.get('http://api/x').json());
});`,
      ids: ['missing'],
      fixed: `import ky from 'ky';
import express from 'express';
const router = express.Router();
router.route('/x').get(async (req, res) => {
  res.json(await ky.get('http://api/x', { signal: req.signal }).json());
});`,
    },
    {
      code: `import { request } from 'undici';
import express from 'express';
express().get('/x', async (req, res) => {
  const { body } = await request('http://api/x');
  res.json(await body.json());
});`,
      ids: ['missing'],
      fixed: `import { request } from 'undici';
import express from 'express';
express().get('/x', async (req, res) => {
  const { body } = await request('http://api/x', { signal: req.signal });
  res.json(await body.json());
});`,
    },
    {
      code: `const fetch = (...args) => import('node-fetch').then(({ default: fetch }) => fetch(...args));
exports.show = async (req, res) => {
  const r = await fetch('http://api/x');
  res.json(await r.json());
};`,
      ids: ['missing'],
      fixed: `const fetch = (...args) => import('node-fetch').then(({ default: fetch }) => fetch(...args));
exports.show = async (req, res) => {
  const r = await fetch('http://api/x', { signal: req.signal });
  res.json(await r.json());
};`,
    },
    {
      code: `const express = require('express');
const app = express();
const { setTimeout: sleep } = require('node:timers/promises');
app.get('/x', async (req, res) => {
  await sleep(100);
  res.send('ok');
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
const { setTimeout: sleep } = require('node:timers/promises');
app.get('/x', async (req, res) => {
  await sleep(100, undefined, { signal: req.signal });
  res.send('ok');
});`,
    },
    {
      code: `const express = require('express');
const app = express();
const { promisify } = require('util');
const { exec } = require('child_process');
const run = promisify(exec);
app.get('/x', async (req, res) => {
  const { stdout } = await run('git log');
  res.send(stdout);
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
const { promisify } = require('util');
const { exec } = require('child_process');
const run = promisify(exec);
app.get('/x', async (req, res) => {
  const { stdout } = await run('git log', { signal: req.signal });
  res.send(stdout);
});`,
    },
    {
      code: `const express = require('express');
const app = express();
const { exec } = require('child_process');
app.get('/x', (req, res) => {
  exec('git log', (err, out) => res.send(out));
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
const { exec } = require('child_process');
app.get('/x', (req, res) => {
  exec('git log', { signal: req.signal }, (err, out) => res.send(out));
});`,
    },
    {
      code: `const express = require('express');
const app = express();
const { spawn } = require('child_process');
app.get('/x', (req, res) => {
  const child = spawn('ls', ['-l']);
  child.stdout.pipe(res);
});`,
      ids: ['uncertain'],
      suggested: [
        {
          add: `const express = require('express');
const app = express();
const { spawn } = require('child_process');
app.get('/x', (req, res) => {
  const child = spawn('ls', ['-l'], { signal: req.signal });
  child.stdout.pipe(res);
});`,
        },
      ],
    },
    {
      code: `import OpenAI from 'openai';
import express from 'express';
const openai = new OpenAI();
const app = express();
app.post('/chat', async (req, res) => {
  const answer = await openai.chat.completions.create({ model: 'm', messages: req.body });
  res.json(answer);
});`,
      ids: ['missing'],
      fixed: `import OpenAI from 'openai';
import express from 'express';
const openai = new OpenAI();
const app = express();
app.post('/chat', async (req, res) => {
  const answer = await openai.chat.completions.create({ model: 'm', messages: req.body }, { signal: req.signal });
  res.json(answer);
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  await fetch('http://api/x', { signal: AbortSignal.timeout(5000) });
  res.end();
});`,
      ids: ['limit'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  await fetch('http://api/x', { signal: AbortSignal.any([req.signal, AbortSignal.timeout(5000)]) });
  res.end();
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async ({ params }, res) => {
  const r = await fetch(\`http://api/\${params.id}\`);
  res.json(await r.json());
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', async ({ params, signal }, res) => {
  const r = await fetch(\`http://api/\${params.id}\`, { signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  res.json({ ok: true });
  await fetch('http://hooks/x');
});`,
      ids: ['uncertain'],
      suggested: [
        {
          add: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  res.json({ ok: true });
  await fetch('http://hooks/x', { signal: req.signal });
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  fetch('http://audit/x').catch(() => {});
  res.send('ok');
});`,
      ids: ['uncertain'],
      suggested: [
        {
          add: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  fetch('http://audit/x', { signal: req.signal }).catch(() => {});
  res.send('ok');
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    res.json(await load());
  } catch (error) {
    await fetch('http://alerts/x');
    res.sendStatus(500);
  }
});`,
      ids: ['uncertain'],
      suggested: [
        {
          add: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    res.json(await load());
  } catch (error) {
    await fetch('http://alerts/x', { signal: req.signal });
    res.sendStatus(500);
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  setTimeout(() => fetch('http://api/x').then(log), 1000);
  res.send('ok');
});`,
      ids: ['uncertain'],
      suggested: [
        {
          add: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  setTimeout(() => fetch('http://api/x', { signal: req.signal }).then(log), 1000);
  res.send('ok');
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const all = await Promise.all(ids.map((id) => fetch(\`http://api/\${id}\`)));
  res.json(all.length);
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const all = await Promise.all(ids.map((id) => fetch(\`http://api/\${id}\`, { signal: req.signal })));
  res.json(all.length);
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const load = async (req) => fetch(req.url);
  res.json(await load(other));
});`,
      ids: ['uncertain'],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x');
  res.json(await r.json());
});`,
      express: 4,
      ids: ['uncertain'],
      suggested: [
        {
          add: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x', { signal: req.signal });
  res.json(await r.json());
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res, next) => {
  try {
    const r = await fetch('http://api/x');
    res.json(await r.json());
  } catch (error) {
    next(error);
  }
});`,
      express: 4,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', async (req, res, next) => {
  try {
    const r = await fetch('http://api/x', { signal: req.signal });
    res.json(await r.json());
  } catch (error) {
    next(error);
  }
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', asyncHandler(async (req, res) => {
  const r = await fetch('http://api/x');
  res.json(await r.json());
}));`,
      express: 4,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', asyncHandler(async (req, res) => {
  const r = await fetch('http://api/x', { signal: req.signal });
  res.json(await r.json());
}));`,
    },
    {
      code: `import type { Request, Response } from 'express';
export class Controller {
  list = async (anfrage: Request, antwort: Response): Promise<void> => {
    const r = await fetch('http://api/x');
    antwort.json(await r.json());
  };
}`,
      filename: 'controller.ts',
      ids: ['missing'],
      fixed: `import type { Request, Response } from 'express';
export class Controller {
  list = async (anfrage: Request, antwort: Response): Promise<void> => {
    const r = await fetch('http://api/x', { signal: anfrage.signal });
    antwort.json(await r.json());
  };
}`,
    },
    {
      code: `import { Controller, Get, Req } from '@nestjs/common';
@Controller()
export class Orders {
  @Get()
  async list(@Req() request: any) {
    const r = await fetch('http://api/x');
    return r.json();
  }
}`,
      filename: 'orders.ts',
      ids: ['missing'],
      fixed: `import { Controller, Get, Req } from '@nestjs/common';
@Controller()
export class Orders {
  @Get()
  async list(@Req() request: any) {
    const r = await fetch('http://api/x', { signal: request.signal });
    return r.json();
  }
}`,
    },
    {
      code: `import express, { type RequestHandler } from 'express';
export const list: RequestHandler = async (req, res) => {
  const r = await fetch('http://api/x');
  res.json(await r.json());
};`,
      filename: 'list.ts',
      ids: ['missing'],
      fixed: `import express, { type RequestHandler } from 'express';
export const list: RequestHandler = async (req, res) => {
  const r = await fetch('http://api/x', { signal: req.signal });
  res.json(await r.json());
};`,
    },
    {
      code: `const express = require('express');
const app = express();
class Orders {
  async list(req, res) {
    const r = await fetch('http://api/x');
    res.json(await r.json());
  }
}
const orders = new Orders();
app.get('/orders', orders.list.bind(orders));`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
class Orders {
  async list(req, res) {
    const r = await fetch('http://api/x', { signal: req.signal });
    res.json(await r.json());
  }
}
const orders = new Orders();
app.get('/orders', orders.list.bind(orders));`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', [auth, async (req, res) => {\r
  const r = await fetch('http://api/x', {\r
    method: 'GET',\r
  });\r
  res.json(await r.json());\r
}]);`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
app.get('/x', [auth, async (req, res) => {\r
  const r = await fetch('http://api/x', {\r
    method: 'GET',\r
    signal: req.signal,\r
  });\r
  res.json(await r.json());\r
}]);`,
    },
    {
      code: `const express = require('express')
const app = express()
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x')
  res.json(await r.json())
})`,
      ids: ['missing'],
      fixed: `const express = require('express')
const app = express()
app.get('/x', async (req, res) => {
  const r = await fetch('http://api/x', { signal: req.signal })
  res.json(await r.json())
})`,
    },
    {
      code: `module.exports = function (app) {
  app.get('/x', async (req, res) => {
    const r = await fetch('http://api/x');
    res.json(await r.json());
  });
};`,
      ids: ['missing'],
      fixed: `module.exports = function (app) {
  app.get('/x', async (req, res) => {
    const r = await fetch('http://api/x', { signal: req.signal });
    res.json(await r.json());
  });
};`,
    },
    {
      code: `const express = require('express');
const app = express();
async function request(path, options) {
  return fetch('http://api' + path, { headers: {}, ...options });
}
app.get('/x', async (req, res) => {
  const r = await request('/x');
  res.json(await r.json());
});`,
      ids: ['missing'],
      fixed: `const express = require('express');
const app = express();
async function request(path, options) {
  return fetch('http://api' + path, { headers: {}, ...options });
}
app.get('/x', async (req, res) => {
  const r = await request('/x', { signal: req.signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const request = new Request('http://api/x', { signal });
  const r = await fetch(request);
  res.json(await r.json());
});`,
      ids: ['uncertain'],
      suggested: [
        {
          add: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const request = new Request('http://api/x', { signal });
  const r = await fetch(request, { signal: req.signal });
  res.json(await r.json());
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
const axios = require('axios');
app.delete('/x', async (req, res) => {
  for (const id of req.body.ids) await axios.delete(\`http://api/\${id}\`);
  res.end();
});`,
      ids: ['uncertain'],
      suggested: [
        {
          add: `const express = require('express');
const app = express();
const axios = require('axios');
app.delete('/x', async (req, res) => {
  for (const id of req.body.ids) await axios.delete(\`http://api/\${id}\`, { signal: req.signal });
  res.end();
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
const axios = require('axios');
app.post('/x', async (req, res) => {
  const user = await User.create(req.body);
  const { data } = await axios.get('http://api/x');
  await mail(user, data);
  res.end();
});`,
      ids: ['uncertain'],
      suggested: [
        {
          add: `const express = require('express');
const app = express();
const axios = require('axios');
app.post('/x', async (req, res) => {
  const user = await User.create(req.body);
  const { data } = await axios.get('http://api/x', { signal: req.signal });
  await mail(user, data);
  res.end();
});`,
        },
      ],
    },
    {
      code: `const app = require('express')();
app.get('/x', async (req, res) => {
  const answer = await fetch(url, {
    method: 'GET',
    headers, // the key
  });
  res.json(await answer.json());
});`,
      mounted: true,
      ids: ['missing'],
      fixed: `const app = require('express')();
app.get('/x', async (req, res) => {
  const answer = await fetch(url, {
    method: 'GET',
    headers, // the key
    signal: req.signal,
  });
  res.json(await answer.json());
});`,
    },
    {
      code: `const app = require('express')();
app.get('/x', async (req, res) => {
  const answer = await fetch(url, {
    method: 'GET',
    headers /* the key */
  });
  res.json(await answer.json());
});`,
      mounted: true,
      ids: ['missing'],
      fixed: `const app = require('express')();
app.get('/x', async (req, res) => {
  const answer = await fetch(url, {
    method: 'GET',
    headers, /* the key */
    signal: req.signal
  });
  res.json(await answer.json());
});`,
    },
    {
      code: `const app = require('express')();
app.get('/x', async (req, res) => {
  const answer = await fetch(
    url, // where
  );
  res.json(await answer.json());
});`,
      mounted: true,
      ids: ['missing'],
      fixed: `const app = require('express')();
app.get('/x', async (req, res) => {
  const answer = await fetch(
    url, // where
    { signal: req.signal },
  );
  res.json(await answer.json());
});`,
    },
  ],
);
