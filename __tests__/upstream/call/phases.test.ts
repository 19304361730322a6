import net from 'node:net';
import { classifyError } from 'express-hangup';
import { gate, listen } from '../../fixtures/serve';
import { answers, client, scriptedUpstream, undicis } from '../scripted-upstream';

describe.each(undicis())('where a call says that it was, on %s', (_name, undici) => {
  async function phaseOf(call: Promise<unknown>): Promise<unknown> {
    const error = await call.then(
      () => undefined,
      (e: unknown) => e,
    );
    return classifyError(error)?.upstream?.phase;
  }

  const lookup = (error: Error | null) => (_name: string, _options: object, callback: any) =>
    callback(error, []);

  it('is dns for a name that cannot be resolved', async () => {
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND'), {
      code: 'ENOTFOUND',
      syscall: 'getaddrinfo',
    });
    const users = client(undici, 'http://nowhere.test', { connect: { lookup: lookup(error) }, retries: 0 });
    expect(await phaseOf(users.fetch(null, '/'))).toBe('dns');
    expect(await phaseOf(users.request(null, '/'))).toBe('dns');
  });

  it('is dns for a call that ends while the name is looked up', async () => {
    const users = client(undici, 'http://nowhere.test', { connect: { lookup: () => undefined } });
    expect(await phaseOf(users.fetch(null, '/', { signal: AbortSignal.timeout(20) }))).toBe('dns');
  });

  it('is connect for a port where nobody listens', async () => {
    const { origin, server } = await scriptedUpstream(answers.ok);
    await new Promise((resolve) => server.close(resolve));
    expect(await phaseOf(client(undici, origin, { retries: 0 }).fetch(null, '/'))).toBe('connect');
  });

  it('is tls for a handshake that is not answered, or not by TLS', async () => {
    const { port } = await listen(
      net.createServer((socket) => socket.resume().on('error', () => undefined)) as never,
    );
    const silent = client(undici, `https://127.0.0.1:${port}`, { connect: { timeout: 60 }, retries: 0 });
    expect(await phaseOf(silent.fetch(null, '/'))).toBe('tls');
    const plain = await scriptedUpstream(answers.ok);
    const users = client(undici, plain.origin.replace('http', 'https'), { retries: 0 });
    expect(await phaseOf(users.request(null, '/'))).toBe('tls');
  });

  it('is waiting where the upstream has sent 102 and 103 only', async () => {
    const upstream = await scriptedUpstream((req, res) => {
      res.writeProcessing();
      res.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => req.socket.end());
    });
    const users = client(undici, upstream.origin, { retries: 0 });
    expect(await phaseOf(users.fetch(null, '/'))).toBe('waiting');
    expect(await phaseOf(users.request(null, '/'))).toBe('waiting');
  });

  it('is queue for a call that waits for a connection to be free', async () => {
    const upstream = await scriptedUpstream(answers.silence);
    const users = client(undici, upstream.origin, { connections: 1 });
    const controller = new AbortController();
    const first = users.fetch(null, '/', { signal: controller.signal }).catch(() => undefined);
    await upstream.arrived(1);
    expect(await phaseOf(users.fetch(null, '/', { signal: AbortSignal.timeout(20) }))).toBe('queue');
    controller.abort();
    await first;
  });

  it('is sending for an upload that is not through, waiting for one that is', async () => {
    const upstream = await scriptedUpstream(answers.silence);
    const users = client(undici, upstream.origin);
    const begun = gate();
    async function* unfinished(): AsyncGenerator<Buffer> {
      yield Buffer.from('x');
      begun.open();
      await new Promise(() => undefined);
    }
    const controller = new AbortController();
    const sending = phaseOf(
      users.fetch(null, '/', { method: 'POST', body: unfinished(), signal: controller.signal }),
    );
    await begun.promise;
    controller.abort(new DOMException('over', 'TimeoutError'));
    expect(await sending).toBe('sending');
    const signal = AbortSignal.timeout(60);
    expect(await phaseOf(users.fetch(null, '/', { method: 'POST', body: 'x', signal }))).toBe('waiting');
  });
});
