import { testRule } from '../../fixtures/rule-tester';

testRule(
  'service-without-signal',
  [
    `import x from 'y';
await fetch(x);`,
    `const data = await fetch(url);
export default data;`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  await fetch(url);
});`,
    `export async function load(signal) {
  return fetch(url, { signal });
}`,
    `export async function load(options) {
  return fetch(url, options);
}`,
    `export async function load(options) {
  return fetch(url, { headers, ...options });
}`,
    `import { currentSignal } from 'express-hangup';
export async function load() {
  return fetch(url, { signal: currentSignal() });
}`,
    `export async function load() {
  return fetch(url, { signal: AbortSignal.timeout(500) });
}`,
    `import React from 'react';
export async function load() {
  return fetch(url);
}`,
    `import { ref } from 'vue';
export async function load() {
  return fetch(url);
}`,
    {
      code: `import { Injectable } from '@angular/core';
@Injectable()
export class Api {
  load() {
    return fetch('/api/x');
  }
}`,
      filename: 'api.ts',
    },
    `export async function load() {
  document.title = (await fetch(url)).statusText;
}`,
    `function fetch() {}
export function load() {
  return fetch(url);
}`,
    'export const load = (fetch) => fetch(url);',
    `export function load(...args) {
  return fetch(...args);
}`,
    `export class Api {
  get() {
    return this.client.get('/x');
  }
}`,
  ],
  [
    {
      code: `export async function load() {
  const r = await fetch('http://api/x');
  return r.json();
}`,
      ids: ['service'],
      suggested: [
        {
          add: `import { currentSignal } from 'express-hangup';
export async function load() {
  const r = await fetch('http://api/x', { signal: currentSignal() });
  return r.json();
}`,
        },
      ],
    },
    {
      code: `const axios = require('axios');
exports.load = async (id) => {
  const { data } = await axios.get(\`http://api/\${id}\`);
  return data;
};`,
      ids: ['service'],
      suggested: [
        {
          add: `const axios = require('axios');
const { currentSignal } = require('express-hangup');
exports.load = async (id) => {
  const { data } = await axios.get(\`http://api/\${id}\`, { signal: currentSignal() });
  return data;
};`,
        },
      ],
    },
    {
      code: `const axios = require('axios');
class Orders {
  async create(order) {
    const { data } = await axios.post('http://api/orders', order);
    return data;
  }
}
module.exports = new Orders();`,
      ids: ['service'],
      suggested: [
        {
          add: `const axios = require('axios');
const { currentSignal } = require('express-hangup');
class Orders {
  async create(order) {
    const { data } = await axios.post('http://api/orders', order, { signal: currentSignal() });
    return data;
  }
}
module.exports = new Orders();`,
        },
      ],
    },
    {
      code: `const axios = require('axios');
exports.pay = async (order) => {
  const { data } = await axios.post('http://api/pay', order);
  await Order.update(data);
};`,
      ids: ['caution'],
      suggested: [
        {
          add: `const axios = require('axios');
const { currentSignal } = require('express-hangup');
exports.pay = async (order) => {
  const { data } = await axios.post('http://api/pay', order, { signal: currentSignal() });
  await Order.update(data);
};`,
        },
      ],
    },
    {
      code: `export function ping() {
  fetch('http://api/ping');
}`,
      ids: ['caution'],
      suggested: [
        {
          add: `import { currentSignal } from 'express-hangup';
export function ping() {
  fetch('http://api/ping', { signal: currentSignal() });
}`,
        },
      ],
    },
    {
      code: `import got from 'got';
export const load = (id) => got(\`http://api/\${id}\`).json();`,
      ids: ['service'],
      suggested: [
        {
          add: `import got from 'got';
import { currentSignal } from 'express-hangup';
export const load = (id) => got(\`http://api/\${id}\`, { signal: currentSignal() }).json();`,
        },
      ],
    },
    {
      code: `import { currentSignal } from 'express-hangup';
export const load = () => fetch('http://api/x');`,
      ids: ['service'],
      suggested: [
        {
          add: `import { currentSignal } from 'express-hangup';
export const load = () => fetch('http://api/x', { signal: currentSignal() });`,
        },
      ],
    },
    {
      code: `import { classifyError } from 'express-hangup';
export const load = () => fetch('http://api/x');`,
      ids: ['service'],
      suggested: [
        {
          add: `import { classifyError, currentSignal } from 'express-hangup';
export const load = () => fetch('http://api/x', { signal: currentSignal() });`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
async function load(req) {
  return fetch(\`http://api/\${req.params.id}\`);
}
app.get('/x', async (req, res) => {
  res.json(await load(req));
});`,
      ids: ['helper'],
      fixed: `const express = require('express');
const app = express();
async function load(req) {
  return fetch(\`http://api/\${req.params.id}\`, { signal: req.signal });
}
app.get('/x', async (req, res) => {
  res.json(await load(req));
});`,
    },
    {
      code: `const express = require('express');
const app = express();
const load = async (request) => fetch(\`http://api/\${request.params.id}\`);
app.get('/x', async (q, s) => {
  s.json(await load(q));
});
module.exports = { load };`,
      ids: ['helper'],
      suggested: [
        {
          add: `const express = require('express');
const app = express();
const load = async (request) => fetch(\`http://api/\${request.params.id}\`, { signal: request.signal });
app.get('/x', async (q, s) => {
  s.json(await load(q));
});
module.exports = { load };`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
async function load(id) {
  return fetch(\`http://api/\${id}\`);
}
app.get('/x', async (req, res) => {
  res.json(await load(req.params.id));
});`,
      ids: ['service'],
      suggested: [
        {
          add: `const express = require('express');
const { currentSignal } = require('express-hangup');
const app = express();
async function load(id) {
  return fetch(\`http://api/\${id}\`, { signal: currentSignal() });
}
app.get('/x', async (req, res) => {
  res.json(await load(req.params.id));
});`,
        },
      ],
    },
    {
      code: `import OpenAI from 'openai';
const client = new OpenAI();
export async function ask(messages) {
  return client.chat.completions.create({ model: 'm', messages });
}`,
      ids: ['service'],
      suggested: [
        {
          add: `import OpenAI from 'openai';
import { currentSignal } from 'express-hangup';
const client = new OpenAI();
export async function ask(messages) {
  return client.chat.completions.create({ model: 'm', messages }, { signal: currentSignal() });
}`,
        },
      ],
    },
    {
      code: `const fetch = require('node-fetch');
module.exports = async function load() {
  try {
    return await fetch('http://api/x');
  } catch (error) {
    await fetch('http://alerts/x');
  }
};`,
      ids: ['caution', 'caution'],
      suggested: [
        {
          add: `const fetch = require('node-fetch');
const { currentSignal } = require('express-hangup');
module.exports = async function load() {
  try {
    return await fetch('http://api/x', { signal: currentSignal() });
  } catch (error) {
    await fetch('http://alerts/x');
  }
};`,
        },
        {
          add: `const fetch = require('node-fetch');
const { currentSignal } = require('express-hangup');
module.exports = async function load() {
  try {
    return await fetch('http://api/x');
  } catch (error) {
    await fetch('http://alerts/x', { signal: currentSignal() });
  }
};`,
        },
      ],
    },
    {
      code: `import axios from 'axios';
export class Api {
  private readonly http = axios.create({ baseURL: 'http://api' });
  async load(id: string): Promise<unknown> {
    const { data } = await this.http.get(\`/x/\${id}\`);
    return data;
  }
}`,
      filename: 'api.ts',
      ids: ['service'],
      suggested: [
        {
          add: `import axios from 'axios';
import { currentSignal } from 'express-hangup';
export class Api {
  private readonly http = axios.create({ baseURL: 'http://api' });
  async load(id: string): Promise<unknown> {
    const { data } = await this.http.get(\`/x/\${id}\`, { signal: currentSignal() });
    return data;
  }
}`,
        },
      ],
    },
    {
      code: `const fetch = require('node-fetch')
exports.load = () => fetch('http://api/x', {
  headers: { accept: 'text/html' }
})`,
      ids: ['service'],
      suggested: [
        {
          add: `const fetch = require('node-fetch')
const { currentSignal } = require('express-hangup')
exports.load = () => fetch('http://api/x', {
  headers: { accept: 'text/html' },
  signal: currentSignal()
})`,
        },
      ],
    },
    {
      code: `const currentSignal = () => undefined;
exports.load = () => fetch('http://api/x');`,
      ids: ['service'],
      suggested: [
        {
          add: `const { currentSignal: currentRequestSignal } = require('express-hangup');
const currentSignal = () => undefined;
exports.load = () => fetch('http://api/x', { signal: currentRequestSignal() });`,
        },
      ],
    },
  ],
);
