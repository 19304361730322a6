import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { RawClient } from '../../fixtures/raw-client';
import type { ChainMessage } from './chain-service';

type Told = Extract<ChainMessage, { what: string }>;

/** One of three services, in a process of its own. */
class Service {
  private readonly told: Told[] = [];
  private wake: () => void = () => undefined;

  constructor(private readonly child: ChildProcess) {
    child.on('message', (message) => {
      this.told.push(message as Told);
      this.wake();
    });
  }

  static start(args: string[], execArgv: string[] = []): Service {
    return new Service(
      fork(join(__dirname, 'chain-service.ts'), args, { execArgv: ['-r', 'esbuild-register', ...execArgv] }),
    );
  }

  /** The next message of a kind. */
  async next<What extends Told['what']>(what: What): Promise<Extract<Told, { what: What }>> {
    for (;;) {
      const at = this.told.findIndex((message) => message.what === what);
      if (at >= 0) return this.told.splice(at, 1)[0] as Extract<Told, { what: What }>;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** Whether it has told of something, after all that it told has been forgotten. */
  hasTold(what: Told['what']): boolean {
    return this.told.some((message) => message.what === what);
  }

  forget(): void {
    this.told.length = 0;
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}

describe('a chain of three services, A calls B calls C', () => {
  const services: Service[] = [];
  let a: Service, b: Service, c: Service, port: number, aheadMs: number;

  beforeAll(async () => {
    c = Service.start([]);
    services.push(c);
    const { port: portOfC } = await c.next('listening');
    // B's clock is an hour ahead.
    b = Service.start([`http://127.0.0.1:${portOfC}`], ['-r', join(__dirname, 'skewed-clock.cjs')]);
    services.push(b);
    const { port: portOfB, date } = await b.next('listening');
    aheadMs = date - Date.now();
    a = Service.start([`http://127.0.0.1:${portOfB}`, '400']);
    services.push(a);
    ({ port } = await a.next('listening'));
    // The first request of a process takes a multiple of the next one's time: it is not the one to be measured.
    while ((await fetch(`http://127.0.0.1:${port}/warm`)).status !== 200);
  });

  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
  });

  it("is bound by A's 400 ms to its end, whatever the clocks say", async () => {
    expect(aheadMs).toBeGreaterThan(3_500_000);
    let start: number;
    // On a busy machine the 400 ms may be spent before C has heard of it, which is as it should be, and shows nothing.
    do {
      for (const service of services) service.forget();
      start = machineMs();
      const client = (await RawClient.connect(port)).request('/work');
      expect(await client.response()).toMatchObject({ status: 504 });
      client.leave('fin');
    } while (!c.hasTold('request'));
    const [ofA, ofB, ofC] = await Promise.all(
      [a, b, c].map(async (service) => (await service.next('request')).timeout),
    );
    expect(ofA).toBe(400);
    expect(ofB).toBeLessThanOrEqual(390);
    expect(ofC).toBeLessThanOrEqual(ofB! - 10);
    expect(ofC).toBeGreaterThan(0);
    const { at } = await c.next('aborted');
    // 400 ms, and what a busy machine takes to say so; never the 25 s that C would have for itself.
    expect(at - start).toBeLessThan(2000);
    // A's own time may not have come: B says its 504 a few milliseconds before, and A passes it on.
    expect((await b.next('aborted')).code).toBe('DEADLINE_EXCEEDED');
  });

  it.each(['fin', 'rst'] as const)("stops at its end when A's client leaves by %s", async (how) => {
    for (const service of services) service.forget();
    const client = (await RawClient.connect(port)).request('/work');
    await c.next('request');
    const left = machineMs();
    client.leave(how);
    const stops = await Promise.all([a, b, c].map((service) => service.next('aborted')));
    expect(stops.map(({ code }) => code)).toEqual(Array(3).fill('CLIENT_CLOSED_REQUEST'));
    // About 5 ms on an idle machine. The deadline would have been another reason.
    expect(stops[2]!.at - left).toBeLessThan(1000);
  });
});

function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
