// The stream iterators of the LLM SDKs end normally when their signal aborts: a fragment must not go out as a whole answer.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { deadline, gatewayErrorHandler, hangup } from 'express-hangup';
import OpenAI from 'openai';
import { expresses, serve, Wire } from './wire.mjs';

const OpenAI6 = createRequire(import.meta.url)('openai6');

/** A local server that streams tokens as the two APIs do, and never ends. */
async function streamingModel(t) {
  const server = createServer((req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const isAnthropic = req.url.includes('messages');
    const token = isAnthropic
      ? 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"tok "}}\n\n'
      : 'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"tok "}}]}\n\n';
    const timer = setInterval(() => res.write(token), 10);
    res.on('close', () => clearInterval(timer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

const messages = [{ role: 'user', content: 'hi' }];

const SDKS = {
  async *'openai 7'(baseURL, signal) {
    const client = new OpenAI({ apiKey: 'k', baseURL, maxRetries: 0 });
    const stream = await client.chat.completions.create({ model: 'm', messages, stream: true }, { signal });
    for await (const chunk of stream) yield chunk.choices[0].delta.content;
  },
  async *'openai 6'(baseURL, signal) {
    const client = new OpenAI6({ apiKey: 'k', baseURL, maxRetries: 0 });
    const stream = await client.chat.completions.create({ model: 'm', messages, stream: true }, { signal });
    for await (const chunk of stream) yield chunk.choices[0].delta.content;
  },
  async *anthropic(baseURL, signal) {
    const client = new Anthropic({ apiKey: 'k', baseURL, maxRetries: 0 });
    const stream = await client.messages.create(
      { model: 'm', max_tokens: 9, messages, stream: true },
      { signal },
    );
    for await (const event of stream) if (event.type === 'content_block_delta') yield event.delta.text;
  },
};

for (const [version, express] of expresses) {
  for (const [name, tokens] of Object.entries(SDKS)) {
    test(`${name} on ${version}: a text that was collected until the deadline is a 504, not half a 200`, async (t) => {
      const model = await streamingModel(t);
      const app = express();
      app.set('env', 'test');
      app.use(hangup({ deadline: 1000, grace: 100 }));
      let ended;
      app.get('/', (req, res, next) => {
        const collect = async () => {
          let text = '';
          for await (const token of tokens(model, req.signal)) text += token;
          ended = 'normally';
          res.json({ text });
        };
        collect().catch((error) => {
          ended = error.name;
          next(error);
        });
      });
      app.use(gatewayErrorHandler());
      const { port } = await serve(t, app);
      const response = await (await Wire.connect(port)).get('/').response();
      assert.deepEqual([response.status, response.complete], [504, true]);
      assert.equal(JSON.parse(response.body).code, 'DEADLINE_EXCEEDED');
      t.diagnostic(`the iterator ended: ${ended}`);
    });

    test(`${name} on ${version}: a stream that is passed on and cut by the deadline is visibly broken`, async (t) => {
      const model = await streamingModel(t);
      const app = express();
      app.set('env', 'test');
      app.use(hangup());
      app.get('/', deadline(1000, { until: 'finish' }), (req, res, next) => {
        const pass = async () => {
          res.type('text/plain');
          for await (const token of tokens(model, req.signal)) res.write(token);
          res.end();
        };
        pass().catch(next);
      });
      app.use(gatewayErrorHandler());
      const { port } = await serve(t, app);
      const response = await (await Wire.connect(port)).get('/').response();
      assert.deepEqual([response.status, response.complete], [200, false]);
    });

    test(`${name} on ${version}: an event stream may be ended cleanly after its abort`, async (t) => {
      const model = await streamingModel(t);
      const app = express();
      app.set('env', 'test');
      app.use(hangup({ grace: 5000 }));
      app.get('/', deadline(1000, { until: 'finish' }), (req, res, next) => {
        const pass = async () => {
          res.type('text/event-stream');
          res.flushHeaders();
          try {
            for await (const token of tokens(model, req.signal)) res.write(`data: ${token}\n\n`);
          } finally {
            res.end('event: end\ndata:\n\n');
          }
        };
        pass().catch(next);
      });
      app.use(gatewayErrorHandler());
      const { port } = await serve(t, app);
      const response = await (await Wire.connect(port)).get('/').response();
      assert.deepEqual([response.status, response.complete], [200, true]);
      assert.match(response.body, /event: end/);
    });
  }
}
