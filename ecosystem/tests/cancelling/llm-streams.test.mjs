// docs/cancelling.md, "Streams of language models": the iterators end normally on abort, and the right lines.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import OpenAI6 from 'openai6';
import { ask, gate, holdingService, serve } from '../propagate/world.mjs';

const page = readFileSync(new URL('../../../docs/cancelling.md', import.meta.url), 'utf8');

const chunk = `data: ${JSON.stringify({ choices: [{ delta: { content: 'half of ' } }] })}\n\n`;
const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'half of ' } };
const service = await holdingService((req, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.write(req.url === '/v1/messages' ? `event: ${delta.type}\ndata: ${JSON.stringify(delta)}\n\n` : chunk);
});
after(() => service.close());

const messages = [{ role: 'user', content: 'Hello' }];
const options = { apiKey: 'none', baseURL: service.url };
const chat = (client) => (init) =>
  client.chat.completions.create({ model: 'none', messages, stream: true }, init);
const anthropic = new Anthropic(options);

const streams = {
  'openai 7': chat(new OpenAI(options)),
  'openai 6': chat(new OpenAI6(options)),
  '@anthropic-ai/sdk': (init) =>
    anthropic.messages.create({ model: 'none', max_tokens: 9, messages, stream: true }, init),
};

const ways = {
  'with the signal given': [{}, (req) => ({ signal: req.signal })],
  'with propagate': [{ propagate: { calls: [{ origin: service.url, methods: 'all' }] } }, () => undefined],
};

for (const [name, open] of Object.entries(streams)) {
  for (const [way, [propagate, init]] of Object.entries(ways)) {
    describe(`${name}, ${way}`, () => {
      it('a loop over the stream tells of the abort, or ends as if the text were whole', async () => {
        const seen = gate();
        const begun = gate();
        const app = await serve(async (req) => {
          try {
            for await (const part of await open(init(req))) begun.open(part);
            seen.open('ended normally');
          } catch {
            seen.open('threw');
          }
        }, propagate);
        const client = await ask(app.port);
        await begun.promise;
        client.leave();
        // The SDK ends the loop only for a signal that was passed to it; a connection that is cut is an error.
        assert.equal(await seen.promise, way === 'with propagate' ? 'threw' : 'ended normally');
        await app.close();
      });

      it('what was collected is not taken for whole: the 504 is sent', async () => {
        assert.ok(page.includes('req.signal.throwIfAborted()\n'), 'the page shows the line');
        const app = await serve(
          async (req, res) => {
            let count = 0;
            for await (const part of await open(init(req))) count += part ? 1 : 0;
            req.signal.throwIfAborted();
            res.json({ count });
          },
          { ...propagate, deadline: 300 },
        );
        const client = await ask(app.port);
        assert.equal(await client.status(), 504);
        client.leave();
        await app.close();
      });
    });
  }
}
