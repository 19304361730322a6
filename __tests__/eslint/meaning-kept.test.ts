import type { Linter as ESLintLinter } from 'eslint';
import { Linter } from '../fixtures/eslint';
import { parser } from 'typescript-eslint';
import { rules } from 'express-hangup/eslint';

/** What `eslint --fix` with all rules makes of code behind a mounted hangup(), and what it says of calls. */
function repaired(body: string, file = 'app.js'): { text: string; told: string[]; code: string } {
  const code = `const express = require('express');\nconst app = express();\nconst axios = require('axios');\n${body}\n`;
  const plugin = { rules } as never;
  const isTyped = file.endsWith('.ts');
  const config = {
    files: ['**/*.{js,ts}'],
    plugins: { 'express-hangup': plugin },
    rules: { 'express-hangup/call-without-signal': 'error', 'express-hangup/no-abort-snippet': 'error' },
    settings: { 'express-hangup': { express: 5, mounted: true } },
    languageOptions: isTyped
      ? { parser, sourceType: 'script' }
      : { sourceType: 'commonjs', parserOptions: { ecmaFeatures: { jsx: true } } },
  } as ESLintLinter.Config;
  const { output, messages } = new Linter().verifyAndFix(code, [config], { filename: file });
  return { text: output, told: messages.map(({ message }) => message), code };
}

const LATER = 'it may run after the request';
const ANSWERED = 'it begins after the answer';
const FORGOTTEN = 'nobody waits for it';
const OTHERS = 'others may wait for it too';
const CAUGHT = 'what deals with its failure does more than answer';
const OVERLOOKED = 'its failure is overlooked';
const get = (body: string): string => `app.get('/x', async (req, res, next) => {\n${body}\n});`;

describe('eslint --fix leaves alone, and says why,', () => {
  it.each([
    [
      'a call in setInterval()',
      get('setInterval(async () => { await fetch(url); }, 1000); res.end();'),
      LATER,
    ],
    ['a call in setImmediate()', get('setImmediate(() => fetch(url)); res.end();'), LATER],
    ['a call in process.nextTick()', get('process.nextTick(() => fetch(url)); res.end();'), LATER],
    ['a job that is put into a queue', get('await queue.add(() => fetch(url)); res.end();'), LATER],
    [
      'a worker of a queue',
      get('queue.process(async (job) => { await fetch(job.url); }); res.end();'),
      LATER,
    ],
    ['a loader of a cache', get("res.json(await cache.wrap('k', () => fetch(url)));"), LATER],
    ['a listener of an event', get("res.on('finish', async () => { await fetch(url); }); res.end();"), LATER],
    ['a function for later', get('const later = () => fetch(url); jobs.push(later); res.end();'), LATER],
    ['a call after the answer', get('res.json(1);\nawait fetch(audit);'), ANSWERED],
    [
      'a call after an answer in both branches',
      get('if (req.query.a) { res.json(1); } else { res.json(2); }\nawait fetch(audit);'),
      ANSWERED,
    ],
    [
      'a call after an answer in the cases of a switch',
      get('switch (req.query.a) { case "1": res.json(1); break; default: res.end(); }\nawait fetch(audit);'),
      ANSWERED,
    ],
    ['a call after an answer behind &&', get('req.query.a && res.json(1);\nawait fetch(audit);'), ANSWERED],
    ['a call behind a comma', get('return res.json({}), fetch(audit);'), ANSWERED],
    ['a call after a function that is handed res', get('reply(res, 1);\nawait fetch(audit);'), ANSWERED],
    ['a call after next()', get('next();\nawait fetch(audit);'), ANSWERED],
    [
      'a call in a finally',
      get('try { res.json(await work()); } finally { await fetch(audit); }'),
      'a failure',
    ],
    ['a call as a statement', get('fetch(audit).catch(() => {});\nres.json(1);'), FORGOTTEN],
    ['a call behind void', get('void fetch(audit);\nres.json(1);'), FORGOTTEN],
    ['a promise that nobody reads', get('const warm = fetch(url);\nres.json(1);'), FORGOTTEN],
    [
      'a promise read after the answer',
      get('const sent = fetch(url);\nres.json(1);\nawait sent;'),
      FORGOTTEN,
    ],
    [
      'a promise kept in a map',
      get('inFlight.set(key, fetch(url));\nres.json(await inFlight.get(key));'),
      OTHERS,
    ],
    ['a promise kept in a member', get('this.pending = fetch(url);\nres.json(await this.pending);'), OTHERS],
    ['a promise kept with ??=', get('res.json(await (cache[key] ??= fetch(url)));'), OTHERS],
    [
      'a promise in a variable of the module',
      `let pending;\n${get('pending = fetch(url);\nres.json(await pending);')}`,
      OTHERS,
    ],
    [
      'a catch that puts an empty list in its place, and then saves it',
      get(
        'let list;\ntry { list = await fetch(url); } catch { list = []; }\nawait store.save(list);\nres.json(list);',
      ),
      OVERLOOKED,
    ],
    [
      'a .catch() that gives null, on which something is marked',
      get(
        'const answer = await fetch(url).catch(() => null);\nif (!answer) await store.markDown(url);\nres.json(1);',
      ),
      OVERLOOKED,
    ],
    [
      'allSettled(), of whose outcome something is saved',
      get('const all = await Promise.allSettled([fetch(a)]);\nawait store.save(all);\nres.json(1);'),
      OVERLOOKED,
    ],
    [
      'a loop that tries until it succeeds, which an abort would make spin',
      get(
        'let answer;\nwhile (!answer) {\ntry { answer = await fetch(url); } catch { answer = undefined; }\n}\nres.json(1);',
      ),
      OVERLOOKED,
    ],
    [
      'a catch that marks the upstream as down',
      get('try { res.json(await fetch(url)); } catch { await store.markDown(url); res.status(502).end(); }'),
      CAUGHT,
    ],
    [
      'a catch that counts in a variable of the module',
      `let failures = 0;\n${get('try { res.json(await fetch(url)); } catch { failures += 1; res.status(502).end(); }')}`,
      CAUGHT,
    ],
    [
      'a catch that opens a breaker',
      get("try { res.json(await fetch(url)); } catch { breaker.state = 'open'; res.status(502).end(); }"),
      CAUGHT,
    ],
    [
      'a .catch() with a function of another name',
      get('res.json(await fetch(url).catch(useTheCopy));'),
      CAUGHT,
    ],
    ['a generator', "app.get('/x', function* (req, res) { res.json(yield fetch(url)); });", 'a generator'],
    [
      'a generator behind co.wrap()',
      "app.get('/x', co.wrap(function* (req, res) { res.json(yield fetch(url)); }));",
      'a generator',
    ],
    [
      'a function that sets its arguments',
      "app.get('/x', async function (req, res) { arguments[0] = other; res.json(await fetch(url)); });",
      '`arguments`',
    ],
    [
      'a request that is shadowed',
      get('for (const req of list) { await fetch(req.url); } res.end();'),
      'the name of the request',
    ],
    [
      'a request that is set anew',
      get('req = other; res.json(await fetch(url));'),
      'the name of the request',
    ],
    [
      'a pattern that gathers the rest',
      "app.get('/x', async ({ params, ...rest }, res) => { res.json(await fetch(url)); });",
      'the name of the request',
    ],
    [
      'a signal taken from the request and set anew',
      "app.get('/x', async ({ signal: mine }, res) => { mine = other; res.json(await fetch(url)); });",
      'the name of the request',
    ],
    [
      'fetch where the file replaces it',
      `globalThis.fetch = require('./cached-fetch');\n${get('res.json(await fetch(url));')}`,
      'in the place of `fetch`',
    ],
    [
      'an axios instance with a signal of its own',
      `const api = axios.create({ signal: shutdown.signal });\n${get('res.json((await api.get(url)).data);')}`,
      'a signal of its own',
    ],
    [
      'an axios instance of a class, with a signal of its own',
      "class Orders { http = axios.create({ signal: shutdown.signal }); list = async (req, res) => { res.json((await this.http.get(url)).data); }; }\nconst orders = new Orders();\napp.get('/x', orders.list);",
      'a signal of its own',
    ],
    [
      'axios whose defaults have a signal',
      `axios.defaults.signal = shutdown.signal;\n${get('res.json((await axios.get(url)).data);')}`,
      'a signal of its own',
    ],
    [
      'a component that is sent to a browser',
      get('res.send(render(<button onClick={() => fetch(url)} />));'),
      LATER,
    ],
  ])('%s', (_what, body, why) => {
    const { text, told, code } = repaired(body);
    expect(text).toBe(code);
    expect(told.join('\n')).toContain(why);
  });
});

describe('eslint --fix leaves alone, as there is nothing to say of it,', () => {
  it.each([
    [
      'a fetch of a module of the app',
      "const { fetch } = require('./store');\n",
      'res.json(await fetch(query));',
    ],
    ['a fetch taken from an object', '', 'const { fetch } = req.services;\nres.json(await fetch(query));'],
    ['a method named fetch', '', 'res.json(await orders.fetch(query));'],
    ['a fetch that is a parameter', '', 'await Promise.all(list.map((fetch) => fetch(query)));\nres.end();'],
    [
      'a call with a signal of another meaning',
      '',
      'res.json(await fetch(url, { signal: shutdown.signal }));',
    ],
    [
      'a controller that others abort',
      '',
      'const mine = new AbortController();\njobs.set(req.params.id, mine);\nres.json(await fetch(url, { signal: mine.signal }));',
    ],
    [
      'a controller that ends the slower of two calls',
      '',
      'const race = new AbortController();\nconst first = await Promise.any([fetch(a, { signal: race.signal }), fetch(b, { signal: race.signal })]);\nrace.abort();\nres.json(first);',
    ],
    [
      'a timer that aborts with a reason of its own',
      '',
      "const mine = new AbortController();\nconst timer = setTimeout(() => mine.abort(new Error('slow')), 1000);\ntry { res.json(await fetch(url, { signal: mine.signal })); } finally { clearTimeout(timer); }",
    ],
    [
      'a line for which the rule is turned off',
      '',
      '// eslint-disable-next-line express-hangup/call-without-signal -- it fills a cache\nres.json(await fetch(url));',
    ],
  ])('%s', (_what, head, body) => {
    const { text, told, code } = repaired(head + get(body));
    expect(text).toBe(code);
    expect(told).toEqual([]);
  });
});

describe('eslint --fix still gives the signal to', () => {
  it.each([
    [
      'a call before an early answer that returns',
      get('if (!req.query.a) return res.status(400).end();\nres.json(await fetch(url));'),
    ],
    [
      'a call after an answer whose block ends with return',
      get('if (cached) { res.json(cached); return; }\nres.json(await fetch(url));'),
    ],
    [
      'a call in the other branch',
      get('if (cached) { res.json(cached); } else { res.json(await fetch(url)); }'),
    ],
    [
      'a call in another case of a switch',
      get('switch (req.query.a) {\ncase "1": res.json(1); break;\ndefault: res.json(await fetch(url));\n}'),
    ],
    ['a promise read before the answer', get('const answer = fetch(url);\nres.json(await answer);')],
    [
      'a call whose catch logs and answers',
      get(
        'try { res.json(await fetch(url)); } catch (error) { console.error(error); res.status(500).end(); }',
      ),
    ],
    [
      'a call whose catch throws',
      get(
        "try { res.json(await fetch(url)); } catch (error) { throw new Error('orders', { cause: error }); }",
      ),
    ],
    [
      'a call whose catch tells aborts apart before it does more',
      get(
        "try { res.json(await fetch(url)); } catch (error) { if (error.name === 'AbortError') return; await store.markDown(url); res.end(); }",
      ),
    ],
    ['a call whose failure goes to next', get('res.json(await fetch(url).catch(next));')],
    [
      'a call whose failure gives a default that is only answered',
      get('const answer = await fetch(url).catch(() => null);\nres.json(answer);'),
    ],
    [
      'a call of allSettled() that is only answered',
      get('const [one] = await Promise.allSettled([fetch(url)]);\nres.json(one);'),
    ],
    [
      'fetch where the file puts another fetch in its place',
      `globalThis.fetch = require('node-fetch');\n${get('res.json(await fetch(url));')}`,
    ],
    [
      'an axios instance with other options',
      `const api = axios.create({ baseURL: url });\n${get('res.json((await api.get(url)).data);')}`,
    ],
    [
      'a pattern with a comma at its end',
      "app.get('/x', async ({ params, }, res) => { res.json(await fetch(url)); });",
    ],
    [
      'a pattern, though another handler has a name `signal`',
      "app.get('/x', async ({ params }, res) => { res.json(await fetch(url)); });\napp.get('/y', (req, res) => { const signal = 1; res.json(signal); });",
    ],
    [
      'a handler whose file has a byte order mark, tabs and the line ends of Windows',
      get('\tres.json(await fetch(url));').replaceAll('\n', '\r\n'),
    ],
  ])('%s', (_what, body) => {
    const { text, told } = repaired(body);
    expect(text).toMatch(/signal: req\.signal|, \{ signal \}/);
    expect(told).toEqual([]);
  });

  it.each([
    [
      'a handler with a `this` parameter',
      "app.get('/x', async function (this: Api, req, res) { res.json(await fetch(url)); });",
    ],
    [
      'a handler with overloads',
      "function list(req: express.Request, res: express.Response): Promise<void>;\nfunction list(req: express.Request, res: express.Response, extra?: unknown): Promise<void>;\nasync function list(req: express.Request, res: express.Response): Promise<void> { res.json(await fetch(url)); }\napp.get('/x', list);",
    ],
    [
      'a response that is asserted to be there',
      "app.get('/x', async (req: express.Request, res?: express.Response) => { res!.json(await fetch(url)); });",
    ],
    [
      'a method with decorators',
      'class Orders { @Get() async list(@Req() req: Request, @Res() res: Response) { res.json(await fetch(url)); } }',
    ],
  ])('%s, in TypeScript', (_what, body) => {
    expect(repaired(body, 'app.ts').text).toContain('fetch(url, { signal: req.signal })');
  });

  it('an answer after `res!` has been used is not taken for one before', () => {
    const { text } = repaired(
      "app.get('/x', async (req, res) => { res!.json(1);\nawait fetch(audit); });",
      'app.ts',
    );
    expect(text).not.toContain('signal');
  });
});
