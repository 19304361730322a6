// What a caller sees of an upstream, in a few words that are the same on each run.
// By its default export, which is what mocks change.
import http from 'node:http';
import { text } from 'node:stream/consumers';

/** Errors are told by the code of what is at the bottom of them. */
function nameOf(error) {
  let at = error;
  while (at.cause instanceof Error) at = at.cause;
  const name = at.code ?? at.message;
  // The parser's own words differ with its version.
  return /^HPE_|does not match the HTTP/.test(name) ? 'not HTTP' : name;
}

async function outcome(answer, patience) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, patience, 'no answer');
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

function byHttp(url, signal) {
  return new Promise((resolve, reject) => {
    const call = http.get(url, { signal }, (answer) => {
      text(answer).then((body) => resolve(whole(answer.statusCode, body)), reject);
    });
    call.on('error', reject);
  });
}

/** name -> what it sees that asks so many times, one after another, and waits so many milliseconds for each answer. */
export const callers = {
  fetch: (url, times, patience) => seen(times, patience, (signal) => byFetch(url, signal)),
  'node:http': (url, times, patience) => seen(times, patience, (signal) => byHttp(url, signal)),
};

async function seen(times, patience, ask) {
  const controller = new AbortController();
  let result;
  for (let i = 0; i < times; i += 1) result = await outcome(() => ask(controller.signal), patience);
  controller.abort();
  return result;
}
