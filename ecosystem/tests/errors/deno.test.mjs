// What classifyError() makes of the errors of Deno's fetch: in a real Deno, with the built package.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'node:test';
import { openFaultyPorts } from './faulty-ports.mjs';

const DENO = fileURLToPath(new URL('../../node_modules/@deno/linux-x64-glibc/deno', import.meta.url));
const PACKAGE = new URL('../../../dist/index.js', import.meta.url).href;
const run = promisify(execFile);

describe(
  "classifyError() and Deno's fetch",
  { skip: existsSync(DENO) ? false : 'no Deno: no @deno/linux-x64-glibc' },
  () => {
    let ports;
    let cutting;
    let junk;
    before(async () => {
      ports = await openFaultyPorts();
      cutting = await serve('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
      junk = await serve('SSH-2.0-OpenSSH\r\n\r\n');
    });
    after(() => {
      ports.close();
      cutting.close();
      junk.close();
    });

    it('knows each of its faults by the words of the library underneath, not by those of the address', async () => {
      const faults = {
        refused: [`http://127.0.0.1:${ports.nobody}/`, 'UPSTREAM_REFUSED'],
        reset: [`http://127.0.0.1:${ports.resetting}/`, 'UPSTREAM_RESET'],
        cut: [`http://127.0.0.1:${cutting.address().port}/`, 'UPSTREAM_RESET'],
        junk: [`http://127.0.0.1:${junk.address().port}/`, 'UPSTREAM_INVALID_RESPONSE'],
        tls: [`https://127.0.0.1:${junk.address().port}/`, 'UPSTREAM_UNREACHABLE'],
        named: [`http://nowhere.invalid/?client error (Connect): Connection refused`, 'UPSTREAM_UNREACHABLE'],
        port: ['http://127.0.0.1:1/', undefined],
      };
      const { stdout } = await run(DENO, ['eval', '--quiet', program(faults)], {
        env: { ...process.env, NO_COLOR: '1' },
      });
      assert.deepEqual(
        JSON.parse(stdout),
        Object.fromEntries(Object.entries(faults).map(([name, [, code]]) => [name, code ?? null])),
      );
    });
  },
);

function program(faults) {
  return `
    import core from '${PACKAGE}';
    const codes = {};
    for (const [name, [url]] of Object.entries(${JSON.stringify(faults)})) {
      try {
        await (await fetch(url)).text();
        codes[name] = 'no error';
      } catch (error) {
        codes[name] = core.classifyError(error)?.code ?? null;
      }
    }
    console.log(JSON.stringify(codes));
    Deno.exit(0);
  `;
}

function serve(answer) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answer));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
