import http from 'node:http';
import { nativeRequire } from '../fixtures/native-require';

/** What a client is asked to send; `pool` makes it keep its connections from call to call. */
export interface Call {
  signal?: AbortSignal;
  body?: Buffer;
}

export interface Client {
  readonly name: string;
  /** Rejects with what the app would see. */
  readonly call: (url: string, call?: Call) => Promise<unknown>;
  readonly close: () => unknown;
}

/** Sends by node:http, and reads the answer to its end. */
export function request(url: string, options: http.RequestOptions & { body?: Buffer } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const req = http.request(url, { method: body ? 'POST' : 'GET', ...rest }, (res) => {
      let text = '';
      res.on('data', (chunk: Buffer) => (text += chunk.toString()));
      res.on('error', reject);
      res.on('end', () => resolve(text));
    });
    req.on('error', reject);
    req.end(body);
  });
}

function nodeHttp(): Client {
  const agent = new http.Agent({ keepAlive: true });
  return {
    name: 'node:http',
    call: (url, call) => request(url, { agent, ...call }),
    close: () => agent.destroy(),
  };
}

function globalFetch(): Client {
  return { name: 'global fetch', call: (url, call) => read(fetch(url, init(call))), close: () => undefined };
}

function undici(name: 'undici' | 'undici8'): Client {
  const { fetch: undiciFetch, Agent } = nativeRequire(name);
  const dispatcher = new Agent();
  return {
    name,
    call: (url, call) => read(undiciFetch(url, { dispatcher, ...init(call) })),
    close: () => dispatcher.destroy(),
  };
}

function axios(): Client {
  const agent = new http.Agent({ keepAlive: true });
  const client = nativeRequire('axios');
  return {
    name: 'axios',
    call: (url, { body, signal } = {}) =>
      client.request({
        url,
        httpAgent: agent,
        method: body ? 'POST' : 'GET',
        data: body,
        signal,
        maxBodyLength: Infinity,
      }),
    close: () => agent.destroy(),
  };
}

function got(): Client {
  const agent = new http.Agent({ keepAlive: true });
  const { default: client } = nativeRequire('got');
  return {
    name: 'got',
    call: (url, { body, signal } = {}) =>
      client(url, {
        agent: { http: agent },
        retry: { limit: 0 },
        method: body ? 'POST' : 'GET',
        body,
        signal,
      }),
    close: () => agent.destroy(),
  };
}

const init = ({ body, signal }: Call = {}): RequestInit => ({
  ...(body && { method: 'POST', body: new Uint8Array(body) }),
  ...(signal && { signal }),
});

async function read(response: Promise<Response>): Promise<string> {
  return (await response).text();
}

/** undici 8 does not load on Node 20. */
const hasUndici8 = Number(process.versions.node.split('.')[0]) >= 22;

/** The clients whose calls are followed, each with a pool of its own. */
export const clients: readonly (readonly [name: string, make: () => Client])[] = [
  ['global fetch', globalFetch],
  ['undici 7', () => undici('undici')],
  ...(hasUndici8 ? ([['undici 8', () => undici('undici8')]] as const) : []),
  ['node:http', nodeHttp],
  ['axios', axios],
  ['got', got],
];

/** Waits for a rejection and gives its error. */
export async function errorOf(promise: Promise<unknown>): Promise<any> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the call succeeded');
}
