// Does what Jest does with two test files in one process: loads the kit, lets it go, and loads it anew. In between `fetch` is
// first used, right after what was let go was collected. Prints the kinds of what the second watch finds of a call that hangs.
// `node --expose-gc -r esbuild-register watch-anew.cjs`
const { createServer } = require('node:http');
const { setTimeout: pause } = require('node:timers/promises');

const KIT = '../../../src/testing/watches/watch-leaks';

function forgetKit() {
  for (const file of Object.keys(require.cache)) if (file.includes('/src/')) delete require.cache[file];
  module.children.splice(0);
}

async function main() {
  const server = createServer((_req, res) => res.flushHeaders()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  require(KIT).watchLeaks().stop();
  forgetKit();
  await pause(10);
  globalThis.gc();
  const first = fetch(url).catch(() => undefined);
  await pause(50);
  const watch = require(KIT).watchLeaks({ ignore: ({ what }) => !what.startsWith('the call') });
  const second = fetch(url).catch(() => undefined);
  await second;
  console.log(
    watch
      .leaks()
      .map(({ kind }) => kind)
      .join(),
  );
  watch.stop();
  await first;
  process.exit();
}

void main();
