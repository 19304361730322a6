/** What to do about a kind of complaint. */
export interface Hint {
  advice: string;
  /** Where to read more. */
  link: string;
}

const DOCS = 'https://www.npmjs.com/package/express-hangup';
const HINTS: Record<string, string> = {
  crash:
    'Something throws or rejects with nobody listening. Pass errors on with next(error); in Express 4 wrap async handlers.',
  gone: 'The server has stopped listening: the process ended, or something has closed the server.',
  'not-http':
    'Something writes to the socket after the response has ended. Write to the response, and only once.',
  'tells-address': 'Do not send error.message to the client: answer a fixed text, and log the rest.',
  'tells-stack': 'Do not send error.stack to the client. Express shows it unless NODE_ENV is production.',
  'no-answer': 'Give the route a deadline, or the call a timeout, after which the answer is a 504.',
  'closed-unanswered':
    'Answer 502 or 504 in place of destroying the connection. If a worker of a cluster has ended, its output tells why.',
  'left-hanging':
    "Destroy the response when the upstream's body breaks; pipeline() does that, pipe() does not.",
  'broken-off':
    'Read the whole answer of the upstream before you send your own, or send the error before any byte.',
  'late-answer':
    "The deadline holds for the whole call: connecting, waiting, reading the body, and retries. If the app's own deadline is another one, say so: --deadline, or deadline in code.",
  fragment:
    "Look at the error and 'aborted' events of the upstream's body; destroy the response in place of ending it.",
  'empty-answer': 'Send an error status when there is nothing to send.',
  'next-request':
    'What went wrong with one request is still going on when the next one comes on its connection.',
  'stray-response':
    'A handler answers twice by the bare socket, or two answers were written for one request.',
  'closed-later':
    'Do not destroy the socket after the answer, or say `Connection: close` in it: a client sends its next request there.',
  'half-close': 'A client may end its side and still wait. Answer it, or close the connection.',
  neighbour:
    'Something is shared by requests: an AbortController, an agent that is destroyed, a body, a response. Make one for each.',
  'others-answer': 'A variable outside of the handler holds what belongs to one request. Move it inside.',
  'others-body': 'A variable outside of the handler holds the body of one request. Move it inside.',
  'never-ended': 'Pass a signal to the call that aborts when the client leaves and when the deadline passes.',
  'worked-on':
    "Pass a signal to the call that aborts when the client leaves: the response's 'close' without an end.",
  'deadline-only':
    "The call has a timeout but does not know of the client. Abort it on the response's 'close' as well.",
  'sent-twice':
    'Do not retry what is not idempotent once it may have been received; send an Idempotency-Key if you must.',
  'half-body':
    "Look at the request's 'aborted' or 'close' before the call is ended, and destroy the call then.",
  'one-after-another': 'The route fails once it has been asked often: something is used up, or piles up.',
  'connections-left': 'An agent or a client is made for each request. Make one for the app, or close it.',
};

/** The hint for a cause. */
export function hintFor(cause: string): Hint {
  const status = /^status-(\d+)$/.exec(cause)?.[1];
  return { advice: HINTS[cause] ?? statusAdvice(status ?? ''), link: `${DOCS}#testing` };
}

function statusAdvice(status: string): string {
  if (status === '500')
    return 'An error of the upstream goes to the default error handler. Answer 502 where it broke and 504 where it was slow.';
  if (status.startsWith('2'))
    return 'A fault of the upstream looks like a success. If this is a fallback, say so: expect.';
  if (status === '503')
    return 'If 503 is what you want here, say so: expect in code, --expect on the command line. If it comes from a circuit breaker that is open, switch that off for the run.';
  return `If ${status} is what you want here, say so: expect in code, --expect on the command line.`;
}
