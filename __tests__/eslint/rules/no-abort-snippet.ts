import { testRule } from '../../fixtures/rule-tester';

testRule(
  'no-abort-snippet',
  [
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  res.json(await load(req.signal));
});`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  button.onclick = () => controller.abort();
  await fetch(url, { signal: controller.signal });
});`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  res.json(await race(controller));
});`,
    `const controller = new AbortController();
process.on('SIGTERM', () => controller.abort());`,
    `function load() {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  return fetch(url, { signal: controller.signal });
}`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const { AbortController } = require('./own');
  const controller = new AbortController();
  req.on('close', () => controller.abort());
  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  queue.add(() => controller.abort());
  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const signal = AbortSignal.timeout(100);
  await fetch(url, { signal });
});`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = createController();
  req.on('close', () => controller.abort());
  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const emitter = new EventEmitter();
  req.on('close', () => emitter.emit('end'));
});`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  await fetch(url, { signal: controller.signal });
  controller.abort();
});`,
    `useEffect(() => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 5000);
  fetch(url, { signal: controller.signal });
}, []);`,
    `export async function request(url) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 5000);
  try {
    return await fetch(url, { signal: controller.signal });
  } finally {
    clearTimeout(timer);
  }
}`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  req.on('close', () => clearInterval(timer));
});`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  let controller;
  req.on('close', () => controller?.abort());
});`,
    `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controllers = [new AbortController()];
  req.on('close', () => controllers[0].abort());
});`,
  ],
  [
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  req.on('close', () => controller.abort());
  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
      ids: ['snippet'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const r = await fetch(url, { signal: req.signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 5000);
  req.on('close', () => controller.abort());
  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
      ids: ['snippet'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const signal = req.deadline.signal(5000);
  const r = await fetch(url, { signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 5000);
  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
      ids: ['timerOnly'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const signal = req.deadline.signal(5000);
  const r = await fetch(url, { signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  req.on('close', () => controller.abort());
  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
      ids: ['snippet'],
      suggested: [
        {
          replace: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const r = await fetch(url, { signal: req.signal });
  res.json(await r.json());
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  req.once('aborted', () => controller.abort());
  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
      ids: ['snippet'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const r = await fetch(url, { signal: req.signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  res.on('close', () => {
    if (!res.writableEnded) controller.abort();
  });
  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
      ids: ['redundant'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const r = await fetch(url, { signal: req.signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 5000);
  req.on('close', () => {
    clearTimeout(timer);
    controller.abort();
  });
  try {
    const r = await fetch(url, { signal: controller.signal });
    res.json(await r.json());
  } catch (err) {
    if (err.name === 'AbortError') return res.status(504).end();
    throw err;
  } finally {
    clearTimeout(timer);
  }
});`,
      ids: ['snippet'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const signal = req.deadline.signal(5000);
  try {
    const r = await fetch(url, { signal });
    res.json(await r.json());
  } catch (err) {
    if (err.name === 'AbortError' || err.name === 'TimeoutError') return res.status(504).end();
    throw err;
  }
});`,
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 5000);
  try {
    const r = await fetch(url, { signal: controller.signal });
    res.json(await r.json());
  } finally {
    clearTimeout(timer);
  }
});`,
      ids: ['timerOnly'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const signal = req.deadline.signal(5000);
  const r = await fetch(url, { signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  setTimeout(() => {
    controller.abort();
  }, 1000 * 5);
  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
      ids: ['timerOnly'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const signal = req.deadline.signal(1000 * 5);
  const r = await fetch(url, { signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const ac = new AbortController();
  const { signal } = ac;
  req.on('close', () => ac.abort());
  await fetch(url, { signal });
});`,
      ids: ['entangled'],
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  req.on('close', () => controller.abort());
  const { data } = await axios.get(url, { timeout: 500, signal: controller.signal });
  res.json(data);
});`,
      ids: ['snippet'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const { data } = await axios.get(url, { timeout: 500, signal: req.signal });
  res.json(data);
});`,
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const controller = new AbortController();
  req.on('close', () => {
    metrics.left();
    controller.abort();
  });
  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
      ids: ['entangled'],
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  // Stop the upstream when the client leaves
  const controller = new AbortController();

  // (see the wiki)
  req.on('close', () => controller.abort());

  const r = await fetch(url, { signal: controller.signal });
  res.json(await r.json());
});`,
      ids: ['snippet'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {
  const r = await fetch(url, { signal: req.signal });
  res.json(await r.json());
});`,
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.post('/chat', async (request, response) => {
  const controller = new AbortController();
  request.on('close', () => controller.abort());
  const stream = await openai.chat.completions.create({ stream: true }, { signal: controller.signal });
  for await (const part of stream) response.write(part.text);
  response.end();
});`,
      ids: ['snippet'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.post('/chat', async (request, response) => {
  const stream = await openai.chat.completions.create({ stream: true }, { signal: request.signal });
  for await (const part of stream) response.write(part.text);
  response.end();
});`,
    },
    {
      code: `import { Request, Response } from 'express';
export const show = async (req: Request, res: Response) => {
  const controller = new AbortController();
  req.on('close', () => controller.abort());
  const r = await fetch('http://api/x', { signal: controller.signal });
  res.json(await r.json());
};`,
      mounted: true,
      filename: 'show.ts',
      ids: ['snippet'],
      fixed: `import { Request, Response } from 'express';
export const show = async (req: Request, res: Response) => {
  const r = await fetch('http://api/x', { signal: req.signal });
  res.json(await r.json());
};`,
    },
    {
      code: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {\r
  const controller = new AbortController();\r
  req.on('close', () => controller.abort());\r
  await fetch(url, { signal: controller.signal });\r
  res.end();\r
});`,
      ids: ['snippet'],
      fixed: `const express = require('express');
const { hangup } = require('express-hangup');
const app = express();
app.use(hangup());
app.get('/x', async (req, res) => {\r
  await fetch(url, { signal: req.signal });\r
  res.end();\r
});`,
    },
    {
      code: `const { hangup } = require('express-hangup')
const app = require('express')()
app.use(hangup())
app.get('/x', async (req, res) => {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), 5000)
  const r = await fetch(url, { signal: controller.signal })
  clearTimeout(timer)
  res.json(await r.json())
})`,
      ids: ['timerOnly'],
      suggested: [
        {
          limitAll: `const { hangup } = require('express-hangup')
const app = require('express')()
app.use(hangup())
app.get('/x', async (req, res) => {
  const signal = req.deadline.signal(5000)
  const r = await fetch(url, { signal })
  res.json(await r.json())
})`,
        },
      ],
    },
  ],
);
