// A request whose handler calls somebody through this package is collected with V8's young generation: what is promoted is kept
// until the next full collection. Where a request is kept, it leaves more than 5 KB: 4 KB of payload, and its own objects.
//
// On Node 20 and 22 requests without any call leave 12 KB, so nothing can be told there. undici's fetch leaves 11 KB of its own
// on every Node, so upstream().fetch() is not counted.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';

const PROGRAM = new URL('./left-by.mjs', import.meta.url).pathname;
const isOldNode = Number(process.versions.node.split('.')[0]) < 24;
const ALLOWED = 1500;

const CALLS = [
  'a proxied request, http-proxy-middleware 4',
  'a proxied request, http-proxy-middleware 3',
  'a call of upstream().request()',
  'a query of an abortable() pool of pg',
];

/** How many bytes each request leaves in the old generation. */
async function leftBy(use) {
  // A full garbage collection would hide what the young generation's leave: with so large a heap there is none.
  const args = ['--initial-heap-size=1024', '--no-deprecation', PROGRAM, use];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, NODE_ENV: 'test' },
  });
  return Number(stdout);
}

describe(
  'a request that has called',
  { skip: isOldNode && 'V8 promotes requests without a call, too' },
  () => {
    let alone;
    before(async () => {
      alone = await leftBy('no call');
    });

    for (const use of isOldNode ? [] : CALLS) {
      test(`is collected with the young generation: ${use}`, async () => {
        const left = (await leftBy(use)) - alone;
        assert.ok(left < ALLOWED, `each leaves ${left} bytes`);
      });
    }
  },
);
