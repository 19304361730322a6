import { connect } from 'node:http2';
import express, { type Express } from 'express';
import { conformance, faultyUpstream, type ConformanceOptions } from 'express-hangup/testing';
import { Agent, fetch } from 'undici';

/** An app that calls its upstream by undici over HTTP/2. */
function app(url: string, dispatcher: Agent, endsItsCalls: boolean): Express {
  const made = express();
  made.get('/', (_req, res) => {
    const controller = new AbortController();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      if (endsItsCalls) controller.abort();
      else res.status(504).end('late');
    }, 300);
    res.on('close', () => {
      clearTimeout(timer);
      if (endsItsCalls) controller.abort();
    });
    fetch(url, { dispatcher, signal: controller.signal })
      .then(async (answer) => res.send(await answer.text()))
      .catch(() => {
        if (!res.destroyed && !res.headersSent) res.status(isLate ? 504 : 502).end('x');
      });
  });
  return made;
}

async function judged(endsItsCalls: boolean, options: ConformanceOptions = {}): Promise<string[]> {
  const upstream = await faultyUpstream({ protocol: 'http2', tls: 'trusted' });
  const dispatcher = new Agent({ allowH2: true, connect: { ca: upstream.ca } });
  const { cells } = await conformance(app(upstream.url, dispatcher, endsItsCalls), {
    ...{ upstream, deadline: 300, margin: 500, methods: ['GET'] },
    ...options,
  });
  await dispatcher.destroy();
  await upstream.close();
  expect(new Set(upstream.attempts.map(({ httpVersion }) => httpVersion))).toEqual(new Set(['2']));
  return [...new Set(cells.map(({ fault, verdict, causes }) => [verdict, fault, ...causes].join(' ')))];
}

describe('conformance(): an upstream that speaks HTTP/2', () => {
  it('finds nothing in an app that ends its calls, and says which faults there are not', async () => {
    const found = await judged(true);
    expect(found.filter((cell) => !cell.startsWith('right'))).toEqual(['unseen garbage', 'unseen stale']);
  });

  it('names the calls that go on in an app that does not end them', async () => {
    expect(await judged(false, { faults: ['hang'] })).toEqual(['wrong hang never-ended']);
  });

  it('is asked for where the app speaks HTTP/2 to one that does not', async () => {
    const upstream = await faultyUpstream();
    const caller = express();
    caller.get('/', (_req, res) => {
      const session = connect(upstream.url).on('error', () => res.status(502).end('broken'));
      session.request().on('error', () => undefined);
    });
    await expect(conformance(caller, { upstream, methods: ['GET'] })).rejects.toThrow(
      "start it with faultyUpstream({ protocol: 'http2' })",
    );
    await upstream.close();
  });
});
