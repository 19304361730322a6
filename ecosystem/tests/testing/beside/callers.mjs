// What a caller sees of an upstream, in a few words that are the same on each run.
import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';

const LONG_MS = 400;

/** Errors are told by the code of what is at the bottom of them. */
function nameOf(error) {
  let at = error;
  while (at.cause instanceof Error) at = at.cause;
  return at.code ?? at.message;
}

async function outcome(answer) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, LONG_MS, 'no answer');
  });
  try {
    return await Promise.race([answer(), late]);
  } catch (error) {
    return nameOf(error);
  } finally {
    clearTimeout(timer);
  }
}

const whole = (status, body) => `${status}, ${body.length > 0 ? 'a body' : 'empty'}`;

async function byFetch(url, signal) {
  const response = await fetch(url, { signal });
  return whole(response.status, await response.text());
}

function byHttp(url, signal, agent) {
  return new Promise((resolve, reject) => {
    const call = get(url, { signal, agent }, (answer) => {
      text(answer).then((body) => resolve(whole(answer.statusCode, body)), reject);
    });
    call.on('error', reject);
  });
}

/** name -> (url) -> what it sees. Each asks once; `stale` shows itself to the one that asks again on its connection. */
export const callers = {
  fetch: (url, times) => seen(times, (signal) => byFetch(url, signal)),
  'node:http': async (url, times) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const result = await seen(times, (signal) => byHttp(url, signal, agent));
    agent.destroy();
    return result;
  },
};

async function seen(times, ask) {
  const controller = new AbortController();
  let result;
  for (let i = 0; i < times; i += 1) result = await outcome(() => ask(controller.signal));
  controller.abort();
  return result;
}
