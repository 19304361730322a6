import { testRule } from '../../fixtures/rule-tester';

testRule(
  'keep-alive-agent',
  [
    `new (require('http').Agent)({ keepAlive: true, timeout: 4000 });`,
    `new (require('http').Agent)({ keepAlive: false });`,
    `new (require('http').Agent)();`,
    `new (require('https').Agent)({ maxSockets: 10 });`,
    `new (require('https').Agent)({ rejectUnauthorized: true });`,
    `import { Agent } from 'undici';
new Agent({ keepAliveTimeout: 4000 });`,
    `import { Agent } from 'undici';
new Agent({ connections: 10 });`,
    `import { Agent } from './agent';
new Agent({ keepAlive: true });`,
    `class Agent {}
new Agent({ keepAlive: true });`,
    `import Agent from 'agentkeepalive';
new Agent({ maxSockets: 10 });`,
    `import Agent from 'agentkeepalive';
new Agent({ freeSocketTimeout: 4000 });`,
    `new (require('http').Agent)({ keepAlive: true, timeout: Number(process.env.IDLE) });`,
    `new (require('http').Agent)({ keepAlive: true, ...options });`,
    {
      code: `new (require('http').Agent)({ keepAlive: true, timeout: 50000 });`,
      options: { serverIdleMs: 60000 },
    },
    `new (require('http').Agent)(options);`,
    `import { Pool } from 'pg';
new Pool({ keepAlive: true });`,
  ],
  [
    {
      code: `const http = require('http');
new http.Agent({ keepAlive: true });`,
      ids: ['forever'],
      suggested: [
        {
          shorten: `const http = require('http');
new http.Agent({ keepAlive: true, timeout: 4000 });`,
        },
      ],
    },
    {
      code: `const https = require('https');
new https.Agent({ keepAlive: true, maxSockets: 50 });`,
      ids: ['forever'],
      suggested: [
        {
          shorten: `const https = require('https');
new https.Agent({ keepAlive: true, maxSockets: 50, timeout: 4000 });`,
        },
      ],
    },
    {
      code: `const http = require('node:http');
new http.Agent({ keepAlive: true, timeout: 60000 });`,
      ids: ['longer'],
      suggested: [
        {
          shorten: `const http = require('node:http');
new http.Agent({ keepAlive: true, timeout: 4000 });`,
        },
      ],
    },
    {
      code: `import { Agent } from 'http';
new Agent({ keepAlive: true, timeout: 60 * 1000 });`,
      ids: ['longer'],
      suggested: [
        {
          shorten: `import { Agent } from 'http';
new Agent({ keepAlive: true, timeout: 4000 });`,
        },
      ],
    },
    {
      code: `import https from 'https';
const agent = new https.Agent({
  keepAlive: true,
  timeout: 30_000,
});`,
      ids: ['longer'],
      suggested: [
        {
          shorten: `import https from 'https';
const agent = new https.Agent({
  keepAlive: true,
  timeout: 4000,
});`,
        },
      ],
    },
    {
      code: `import { Agent } from 'undici';
new Agent({ keepAliveTimeout: 60_000 });`,
      ids: ['longer'],
      suggested: [
        {
          shorten: `import { Agent } from 'undici';
new Agent({ keepAliveTimeout: 4000 });`,
        },
      ],
    },
    {
      code: `import { Pool } from 'undici';
new Pool('http://api', { connections: 5, keepAliveTimeout: 10e3 });`,
      ids: ['longer'],
      suggested: [
        {
          shorten: `import { Pool } from 'undici';
new Pool('http://api', { connections: 5, keepAliveTimeout: 4000 });`,
        },
      ],
    },
    {
      code: `import { Client } from 'undici';
new Client('http://api', { keepAliveTimeout: 5000 });`,
      ids: ['longer'],
      suggested: [
        {
          shorten: `import { Client } from 'undici';
new Client('http://api', { keepAliveTimeout: 4000 });`,
        },
      ],
    },
    {
      code: `import Agent from 'agentkeepalive';
new Agent({ freeSocketTimeout: 30000 });`,
      ids: ['longer'],
      suggested: [
        {
          shorten: `import Agent from 'agentkeepalive';
new Agent({ freeSocketTimeout: 4000 });`,
        },
      ],
    },
    {
      code: `const Agent = require('agentkeepalive');
new Agent.HttpsAgent({ freeSocketTimeout: 30000 });`,
      ids: ['longer'],
      suggested: [
        {
          shorten: `const Agent = require('agentkeepalive');
new Agent.HttpsAgent({ freeSocketTimeout: 4000 });`,
        },
      ],
    },
    {
      code: `import { HttpsAgent } from 'agentkeepalive';
new HttpsAgent({ freeSocketTimeout: 15000 });`,
      ids: ['longer'],
      suggested: [
        {
          shorten: `import { HttpsAgent } from 'agentkeepalive';
new HttpsAgent({ freeSocketTimeout: 4000 });`,
        },
      ],
    },
    {
      code: `const http = require('http');
const options = { keepAlive: true, timeout: 10000 };
new http.Agent(options);`,
      ids: ['longer'],
      suggested: [
        {
          shorten: `const http = require('http');
const options = { keepAlive: true, timeout: 4000 };
new http.Agent(options);`,
        },
      ],
    },
    {
      code: `const axios = require('axios');
const http = require('http');
axios.create({ httpAgent: new http.Agent({ keepAlive: true }) });`,
      ids: ['forever'],
      suggested: [
        {
          shorten: `const axios = require('axios');
const http = require('http');
axios.create({ httpAgent: new http.Agent({ keepAlive: true, timeout: 4000 }) });`,
        },
      ],
    },
    {
      code: `const http = require('http');
new http.Agent({ keepAlive: true, timeout: 4000 });`,
      options: { serverIdleMs: 2000 },
      ids: ['longer'],
      suggested: [
        {
          shorten: `const http = require('http');
new http.Agent({ keepAlive: true, timeout: 1600 });`,
        },
      ],
    },
    {
      code: `const http = require('http');
new http.Agent({ keepAlive: true });`,
      options: { serverIdleMs: 60000 },
      ids: ['forever'],
      suggested: [
        {
          shorten: `const http = require('http');
new http.Agent({ keepAlive: true, timeout: 59000 });`,
        },
      ],
    },
    {
      code: `import { Agent } from 'node:https';
export const agent: Agent = new Agent({ keepAlive: true } as const);`,
      filename: 'agent.ts',
      ids: ['forever'],
      suggested: [
        {
          shorten: `import { Agent } from 'node:https';
export const agent: Agent = new Agent({ keepAlive: true, timeout: 4000 } as const);`,
        },
      ],
    },
  ],
);
