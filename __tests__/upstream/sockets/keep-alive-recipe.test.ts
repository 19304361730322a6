import http from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import axios from 'axios';
import { nativeRequire } from '../../fixtures/native-require';
import { DROP_MS, forgetfulUpstream } from './dropping-upstream';
import { scriptedUpstream } from '../scripted-upstream';

// What docs/upstream.md tells users of axios, got and node:http to do, with 200 ms in the place of its 4 s.
const recipe = { keepAlive: true, timeout: 200 };

/** Fetches a URL with a client and an agent, and gives the text. */
type Get = (url: string, agent: http.Agent) => Promise<string>;

const { default: got } = nativeRequire('got') as { default: any };

const clients: [string, Get][] = [
  [
    'node:http',
    async (url, agent) =>
      new Promise((resolve, reject) => {
        http.get(url, { agent }, (response) => void text(response).then(resolve, reject)).on('error', reject);
      }),
  ],
  [
    'axios',
    async (url, agent) => (await axios.get<string>(url, { httpAgent: agent, responseType: 'text' })).data,
  ],
  [
    'axios with a timeout of its own',
    async (url, agent) =>
      (await axios.get<string>(url, { httpAgent: agent, responseType: 'text', timeout: 5000 })).data,
  ],
  ['got', async (url, agent) => got(url, { agent: { http: agent }, retry: { limit: 0 } }).text()],
  [
    'got with timeouts of its own',
    async (url, agent) =>
      got(url, { agent: { http: agent }, retry: { limit: 0 }, timeout: { request: 5000 } }).text(),
  ],
];

const agents: http.Agent[] = [];

function agent(options: http.AgentOptions): http.Agent {
  const made = new http.Agent(options);
  agents.push(made);
  return made;
}

afterEach(() => {
  for (const made of agents.splice(0)) made.destroy();
});

/** What all clients come to, each with an agent and an upstream of its own: they wait side by side. */
async function withAll<T>(run: (get: Get) => Promise<T>): Promise<Record<string, T>> {
  return Object.fromEntries(
    await Promise.all(clients.map(async ([name, get]) => [name, await run(get)] as const)),
  );
}

const all = <T>(value: T): Record<string, T> => Object.fromEntries(clients.map(([name]) => [name, value]));

describe('an http.Agent that closes idle sockets in time', () => {
  /** Asks an upstream that resets whoever uses a socket after a pause, before and after such a pause. */
  async function askTwice(get: Get, options: http.AgentOptions): Promise<string> {
    const { origin } = await forgetfulUpstream();
    const kept = agent(options);
    expect(await get(`${origin}/1`, kept)).toBe('ok');
    await sleep(DROP_MS + 50);
    return get(`${origin}/2`, kept).catch((error: unknown) => (error as { code: string }).code);
  }

  it('meets no dead socket', async () => {
    expect(await withAll((get) => askTwice(get, recipe))).toEqual(all('ok'));
  });

  it('is needed: without the timeout the second request is reset', async () => {
    expect(await withAll((get) => askTwice(get, { keepAlive: true }))).toEqual(all('ECONNRESET'));
  });

  it('reuses a socket that is used again soon', async () => {
    const sockets = await withAll(async (get) => {
      const upstream = await scriptedUpstream((_req, res) => res.end('ok'));
      const kept = agent({ keepAlive: true, timeout: 4000 });
      await get(upstream.origin, kept);
      await new Promise(setImmediate);
      await get(upstream.origin, kept);
      return upstream.opened;
    });
    expect(sockets).toEqual(all(1));
  });

  it('lets an answer take longer than an idle socket may', async () => {
    const answers = await withAll(async (get) => {
      const upstream = await scriptedUpstream((_req, res) => {
        setTimeout(() => res.write('slow'), 400);
        setTimeout(() => res.end(' but whole'), 800);
      });
      return get(upstream.origin, agent(recipe));
    });
    expect(answers).toEqual(all('slow but whole'));
  });
});
