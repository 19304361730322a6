import { hangup } from 'express-hangup';

const made = (propagate: unknown) => () => hangup({ propagate: propagate as boolean });

it.each([
  true,
  false,
  {},
  { methods: 'all' },
  { methods: ['get'], calls: [], budget: ['https://a.test:8443'] },
])('propagate takes %j', (propagate) => {
  expect(made(propagate)).not.toThrow();
});

it.each([
  [
    'all',
    /"propagate" is the string 'all', but must be true, false or an object \{ methods, calls, budget \}/,
  ],
  [null, /"propagate": the options is null|"propagate" is null/],
  [{ method: 'all' }, /"propagate": there is no option "method". Did you mean "methods"\?/],
  [{ methods: 'GET' }, /"propagate", "methods" is the string 'GET', but must be 'all' or a list of methods/],
  [{ methods: ['GET '] }, /"methods" is an array, but must be 'all' or a list of methods/],
  [{ calls: {} }, /"propagate", "calls" is an object, but must be a list/],
  [{ calls: [{ origin: 'https://a.test' }] }, /"calls", "methods" is undefined, but must be 'all'/],
  [
    { calls: [{ origin: 'a.test', methods: 'all' }] },
    /"calls", "origin" is the string 'a.test', but must be an origin/,
  ],
  [
    { calls: [{ origin: 'https://a.test/v1', methods: 'all' }] },
    /is the string 'https:\/\/a.test\/v1', but must be an origin/,
  ],
  [
    {
      calls: [
        { origin: 'https://a.test', methods: 'all' },
        { origin: 'https://A.test:443/', methods: [] },
      ],
    },
    /"calls" names the origin 'https:\/\/a.test' twice/,
  ],
  [
    { budget: 'https://a.test' },
    /"propagate", "budget" is the string 'https:\/\/a.test', but must be a list/,
  ],
  [{ budget: ['ftp://a.test'] }, /"budget" is the string 'ftp:\/\/a.test', but must be an origin/],
])('propagate refuses %j in words', (propagate, words) => {
  expect(made(propagate)).toThrow(TypeError);
  expect(made(propagate)).toThrow(words);
});
