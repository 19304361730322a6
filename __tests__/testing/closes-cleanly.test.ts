import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** Runs a script in a process of its own, which must end by itself, and gives what it has printed. */
async function run(script: string): Promise<string> {
  const source = `const kit = require(${JSON.stringify(join(ROOT, 'src/testing/index.ts'))}); (async () => { ${script} })()`;
  const args = ['-r', 'esbuild-register', '-e', source];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: 10_000 });
  return stdout;
}

describe('the test kit, once it is closed', () => {
  it('holds no process: every kind of upstream, in the middle of every fault', async () => {
    const printed = await run(`
      for (const options of [{}, { tls: 'trusted' }, { protocol: 'http2' }, { protocol: 'http2', tls: 'trusted' }, { tls: 'hang' }]) {
        const upstream = await kit.faultyUpstream(options);
        const names = Object.keys(kit.FAULTS).filter((name) => options.protocol !== 'http2' || kit.FAULTS[name].http2);
        const clients = names.map((name) => kit.clientThatHangsUp(upstream.url, { path: '/' + name + '?ms=60000', protocol: options.protocol ?? 'http1', patience: 60000 }).catch(() => 0));
        await new Promise((resolve) => setTimeout(resolve, 100));
        await upstream.close();
        await upstream.close();
        await Promise.all(clients);
      }
      const refused = await kit.faultyUpstream();
      await refused.refuse();
      await refused.close();
      await (await kit.faultyUpstream())[Symbol.asyncDispose]();
      kit.watchLeaks();
      kit.failOnLateResponse();
      console.log('end');
    `);
    expect(printed).toMatch(/end\n$/);
  });

  it('holds no process for an app that never answers a client that has left', async () => {
    const printed = await run(`
      const account = await kit.clientThatHangsUp(() => {}, { leave: 'after-request', body: 'x' });
      console.log(account.ended);
    `);
    expect(printed).toBe('we-left\n');
  });
});
