import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { join } from 'node:path';
import type { Report } from 'express-hangup/diagnose';
import { mergeReports } from '../../src/diagnose/workers/merge-reports';
import { diagnose } from 'express-hangup/diagnose';
import { passTime } from './passing-time';

const PRIMARY = join(__dirname, '../fixtures/diagnose-cluster.cjs');

function reportFrom(port: number, agent: http.Agent): Promise<Report> {
  return new Promise((resolve, reject) => {
    http
      .get({ port, host: '127.0.0.1', path: '/_hangup/report.json', agent }, (res) => {
        let text = '';
        res.on('data', (chunk: Buffer) => (text += chunk.toString()));
        res.on('end', () => resolve(JSON.parse(text) as Report));
      })
      .on('error', reject);
  });
}

async function cluster(relay: boolean): Promise<{ port: number; stop: () => Promise<number | null> }> {
  const child = fork(PRIMARY, [relay ? 'relay' : 'silent'], { execArgv: ['-r', 'esbuild-register'] });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    port,
    async stop() {
      child.send('stop');
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    },
  };
}

// Four processes that each compile the sources: on a busy machine that takes its time.
jest.setTimeout(60_000);

describe('the page of a worker in a cluster', () => {
  it('shows all workers, with what each has had', async () => {
    const { port, stop } = await cluster(true);
    const agent = new http.Agent({ keepAlive: true });
    const report = await reportFrom(port, agent);
    agent.destroy();
    expect(report.processes.map(({ worker }) => worker)).toEqual([1, 2, 3]);
    expect(new Set(report.processes.map(({ pid }) => pid)).size).toBe(3);
    expect(report.processes.map(({ faults }) => faults)).toEqual([1, 1, 1]);
    expect(report.faultGroups).toMatchObject([{ count: 3, last: { code: 'UPSTREAM_UNREACHABLE' } }]);
    expect(report.origins).toMatchObject([{ origin: 'http://nowhere.invalid:3001', verdicts: { 'NN-': 3 } }]);
    // The workers end by themselves when they have disconnected: our listener keeps none alive.
    expect(await stop()).toBe(0);
  });

  it('shows that worker alone where the primary does not relay reports, and says so', async () => {
    const { port, stop } = await cluster(false);
    const agent = new http.Agent({ keepAlive: true });
    const report = await reportFrom(port, agent);
    agent.destroy();
    expect(report.processes).toHaveLength(1);
    expect(report.findings[0]).toContain('relayReports(cluster)');
    expect(await stop()).toBe(0);
  });
});

it('reports of several processes are one: counts are added, percentiles are those of all', () => {
  const one = diagnose();
  const first = one.report();
  passTime(5);
  const second = one.report();
  one.stop();
  const counts = {
    ok: 2,
    refused: 0,
    error: 0,
    badGateway: 1,
    unavailable: 0,
    timeout: 0,
    clientClosed: 0,
    broken: 0,
  };
  const route = (requests: number, tookCounts: number[]) => ({
    ...{ method: 'GET', route: '/a', requests, outcomes: counts, tookMs: undefined, leftMs: undefined },
    ...{ tookCounts, leftCounts: [] },
  });
  first.routes.push(route(3, [0, 3]));
  second.routes.push(route(97, [80, 97]));
  first.outcomes.total = { ...counts };
  second.outcomes.total = { ...counts };
  const merged = mergeReports([first, second]);
  expect(merged.outcomes.total).toEqual({ ...counts, ok: 4, badGateway: 2 });
  expect(merged.routes).toMatchObject([
    { requests: 100, outcomes: { ok: 4 }, tookMs: { p5: 1024, p50: 1024, p95: 1024 }, leftMs: undefined },
  ]);
  expect(merged.processes).toHaveLength(2);
  expect(first.outcomes.total).toEqual(counts);
});
