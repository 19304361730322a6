// What can be tried: the request, what an honest answer is, and why the other side gives another.

const answered = (status) => (result) => result.outcome === 'complete' && result.status === status;
const brokenVisibly = ({ outcome }) => outcome === 'cut';
const stopped = ({ behind }) => behind === 'closed by the gateway';
const both =
  (...checks) =>
  (result) =>
    checks.every((check) => check(result));

const NO_FAULT_OF_OURS = '500 says that the gateway has a bug, and its own people are woken.';

// What both scenes have.
const RESETS = {
  name: 'It resets the connection',
  about: 'ECONNRESET before a byte of the answer.',
  path: '/order/reset',
};
const STALLS = {
  name: 'It stalls',
  about: 'Half of the body, then silence.',
  path: '/order/stall',
};
const CUTS = {
  name: 'It cuts its answer',
  about: 'Half of the body, then a reset.',
  path: '/order/cut',
};
const REFUSES = {
  name: 'It refuses',
  about: 'Nobody listens on its port.',
  path: '/order/refuse',
};
const HANGS = {
  name: 'It never answers',
  about: 'The call is accepted, and that was all.',
  path: '/order/hang',
};
const YOU_LEAVE = {
  name: 'You leave',
  about: 'The client hangs up after 300 ms; the price service is still at work.',
  path: '/order/hang',
  leaveAfterMs: 300,
};

export const scenes = {
  handlers: {
    sides: {
      ours: { name: 'with express-hangup', path: '/ours' },
      theirs: { name: 'the copied snippet', path: '/snippet' },
    },
    troubles: [
      {
        name: 'You post an order',
        about: 'The price service is well, and answers after 150 ms.',
        path: '/order/busy',
        post: { quantity: 2 },
        isHonest: answered(201),
        otherwise:
          "Nobody was slow. express.json() has read the body, req emits 'close' then, and the snippet takes that for the client's leaving.",
      },
      {
        ...RESETS,
        isHonest: answered(502),
        otherwise: NO_FAULT_OF_OURS,
      },
      {
        ...STALLS,
        isHonest: both(answered(504), stopped),
        otherwise: 'Its timer was cleared when the headers came: nobody watches the body.',
      },
      {
        ...YOU_LEAVE,
        isHonest: stopped,
        otherwise: 'The work goes on for nobody.',
      },
      {
        name: 'You subscribe to prices',
        about: 'Server-sent events: the first comes after 1.5 s. The page leaves after the third.',
        path: '/prices',
        leaveAfterEvents: 3,
        isHonest: both(({ events }) => events >= 3, stopped),
        otherwise: 'A stream is not late because its first event is.',
      },
      {
        ...CUTS,
        isHonest: answered(502),
        otherwise: NO_FAULT_OF_OURS,
      },
      {
        ...REFUSES,
        isHonest: answered(502),
        otherwise: NO_FAULT_OF_OURS,
      },
      {
        ...HANGS,
        isHonest: both(answered(504), stopped),
      },
      {
        name: 'It is slow',
        about: 'It would answer after 3 s; the gateway grants 1 s.',
        path: '/order/slow',
        isHonest: both(answered(504), stopped),
      },
      {
        name: 'All is well',
        about: 'The price service answers at once.',
        path: '/order/ok',
        isHonest: answered(200),
      },
    ],
  },
  proxies: {
    sides: {
      ours: { name: 'with hangupProxy()', path: '/proxied' },
      theirs: { name: 'http-proxy-middleware as it is', path: '/plain-proxy' },
    },
    troubles: [
      {
        ...CUTS,
        isHonest: brokenVisibly,
        otherwise: 'A complete 200: the client takes half a price and an error message for the answer.',
      },
      {
        ...RESETS,
        isHonest: answered(502),
        otherwise: 'Nothing was slow, and the answer names what it was asked for behind the gateway.',
      },
      {
        ...STALLS,
        isHonest: both(brokenVisibly, stopped),
        otherwise: 'It waits as long as the client does.',
      },
      {
        ...YOU_LEAVE,
        isHonest: stopped,
        otherwise: 'The work goes on for nobody.',
      },
      {
        ...REFUSES,
        isHonest: answered(502),
        otherwise: 'Nothing was slow: there was nobody.',
      },
      {
        ...HANGS,
        isHonest: both(answered(504), stopped),
        otherwise: 'It waits as long as the client does.',
      },
    ],
  },
};
