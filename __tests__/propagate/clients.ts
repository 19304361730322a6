import http from 'node:http';
import * as undici from 'undici';

/** A client under test: makes a call and gives the text of the answer. */
export type Call = (url: string, method?: string) => Promise<string>;

/** The ways to call that the whole suite goes through. Those with a place for one call at a time show what waits in a queue. */
export function clients(): Record<string, Call> {
  const agent = new undici.Agent();
  const narrowAgent = new undici.Agent({ connections: 1 });
  const keepAlive = new http.Agent({ keepAlive: true });
  return {
    'global fetch': async (url, method = 'GET') => (await fetch(url, { method })).text(),
    "undici's request()": async (url, method = 'GET') =>
      (await undici.request(url, { method: method as 'GET' })).body.text(),
    "undici's fetch with an Agent of its own": async (url, method = 'GET') =>
      (await undici.fetch(url, { method, dispatcher: agent })).text(),
    'an own Agent of one connection': async (url, method = 'GET') =>
      (await undici.request(url, { method: method as 'GET', dispatcher: narrowAgent })).body.text(),
    'node:http with a keep-alive agent': (url, method) => httpCall(url, method, keepAlive),
    'node:http without an agent of its own': (url, method) => httpCall(url, method),
  };
}

/** http.request() as a promise. */
export function httpCall(url: string, method = 'GET', agent?: http.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text)).on('error', reject);
    });
    request.on('error', reject).end();
  });
}

/** The codes and names along an error's causes. */
export function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let at = error as (Error & { code?: unknown }) | undefined; at; at = at.cause as typeof at)
    chain.push(at.code ?? at.name);
  return chain;
}
