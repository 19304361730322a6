import type { ClientAccount, ClientResponse } from 'express-hangup/testing';
import type { CellObservation, SeenAttempt } from '../../src/testing/conformance/cell';
import { judge } from '../../src/testing/conformance/verdicts/judge';
import { expectations } from '../../src/testing/conformance/expectations';
import { ROWS, type ConformanceClient, type ConformanceFault } from '../../src/testing/conformance/matrix';

const LIMITS = { deadline: 1000, margin: 500, expected: expectations({}), background: false };

function response(status: number, complete = true, text = 'x'): ClientResponse {
  const body = Buffer.from(text);
  return {
    ...{ status, complete, text, body, statusText: '', headers: {}, trailers: {}, interim: [] },
    bodyBytes: body.length,
    endedAt: undefined,
  };
}

function account(responses: ClientResponse[], ended: ClientAccount['ended'] = 'open', ms = 5): ClientAccount {
  const times = {
    connected: 0,
    requestSent: 1,
    firstByte: 2,
    left: ended === 'we-left' ? 3 : undefined,
    ended: ms,
  };
  return {
    ...{ responses, ended, response: responses[0], malformed: undefined, bytesSent: 1, bytesReceived: 1 },
    ms: times,
  };
}

function attempt(
  state: SeenAttempt['state'],
  tookMs = 3,
  afterLeavingMs: number | undefined = 1,
): SeenAttempt {
  return {
    state,
    key: 'POST /',
    numbers: [],
    bodyComplete: true,
    bodyBytes: 10,
    tookMs: state === 'running' ? undefined : tookMs,
    afterLeavingMs,
  };
}

function observation(seen: Partial<CellObservation>): CellObservation {
  return {
    ...{
      account: account([response(200)]),
      askedAgain: false,
      numbers: ['c000001', 'c000002'],
      baseline: { status: 200, bodyBytes: 1, calls: [], closesSoon: false },
      halfBytes: 500,
      attempts: [attempt('answered')],
    },
    ...{ upstreamHost: '127.0.0.1:9', crashes: [] },
    ...seen,
  };
}

function verdict(
  fault: ConformanceFault,
  client: ConformanceClient,
  seen: Partial<CellObservation>,
  method = 'GET',
): string {
  const { cell } = judge({ fault, client, method }, observation(seen), LIMITS);
  return cell.verdict === 'right' ? 'right' : cell.why;
}

const stays = (
  status: number,
  complete = true,
  ended: ClientAccount['ended'] = 'open',
): Partial<CellObservation> => ({
  account: account([response(status, complete)], ended),
});

describe('judge(): the status that a client which stays must get', () => {
  const RIGHT: Record<ConformanceFault, number[]> = {
    ok: [200, 201],
    slow: [200],
    hang: [504],
    'hang-body': [504],
    reset: [502],
    close: [502],
    'reset-chunk': [502],
    'close-body': [502],
    'close-chunk': [502],
    garbage: [502],
    refuse: [502],
    stale: [200, 502],
  };
  const cells = ROWS.flatMap((fault) =>
    [200, 400, 499, 500, 502, 503, 504].map((status) => ({ fault, status })),
  );

  it.each(cells)('judges $status for $fault', ({ fault, status }) => {
    expect(verdict(fault, 'stays', stays(status)) === 'right').toBe(RIGHT[fault].includes(status));
  });

  it.each(ROWS)('judges a response to %s that is broken off', (fault) => {
    const may = ['hang-body', 'reset-chunk', 'close-body', 'close-chunk'].includes(fault);
    for (const ended of ['fin', 'rst'] as const) {
      expect(verdict(fault, 'stays', stays(200, false, ended)) === 'right').toBe(may);
    }
  });

  it.each(ROWS)('never accepts a response to %s that is left hanging, nor none at all', (fault) => {
    expect(verdict(fault, 'stays', stays(200, false))).toMatch(/neither ended nor broken off/);
    expect(verdict(fault, 'stays', { account: account([]) })).toMatch(/no answer within/);
    expect(verdict(fault, 'stays', { account: account([], 'fin') })).toMatch(/closed without an answer/);
    expect(verdict(fault, 'stays', { account: account([], 'rst') })).toMatch(/closed without an answer/);
  });

  it.each(['hang-body', 'reset-chunk', 'close-body', 'close-chunk'] as const)(
    'calls a whole 200 for %s a fragment in disguise',
    (fault) => {
      expect(verdict(fault, 'stays', stays(200))).toMatch(/a fragment looks like a whole answer \(200\)/);
    },
  );

  it('does not accept an answer that comes too late', () => {
    const late = { account: account([response(504)], 'open', 1501) };
    expect(verdict('hang', 'stays', late)).toBe('the answer took 1501 ms');
    expect(verdict('hang', 'stays', { account: account([response(504)], 'open', 1499) })).toBe('right');
  });
});

describe('judge(): what holds for every client', () => {
  it.each(['stays', 'leaves-fin', 'leaves-in-response'] as const)(
    'sees a crash when the client %s',
    (client) => {
      expect(verdict('ok', client, { crashes: ['unhandled rejection Error (boom)'] })).toBe(
        'the process would have crashed: unhandled rejection Error (boom)',
      );
    },
  );

  it('sees that nobody listens any more', () => {
    expect(verdict('ok', 'leaves-rst', { account: undefined })).toBe('nobody accepts connections any more');
  });

  it('sees bytes that are not HTTP', () => {
    const broken = { ...account([response(502)]), malformed: 'a chunk is longer than its size' };
    expect(verdict('reset', 'stays', { account: broken })).toMatch(/not HTTP: a chunk/);
  });

  it.each(['body', 'header'])('sees the address of the upstream in a %s', (where) => {
    const told =
      where === 'body'
        ? response(502, true, 'connect ECONNREFUSED 127.0.0.1:9')
        : { ...response(502), headers: { 'proxy-status': 'up; host=127.0.0.1:9' } };
    expect(verdict('refuse', 'stays', { account: account([told]) })).toMatch(/tells the address/);
    expect(verdict('ok', 'stays', { account: account([response(200, true, 'see 127.0.0.1:9')]) })).toBe(
      'right',
    );
  });

  it.each([
    ['no answer', [], 'got no answer'],
    ['a broken one', [response(200, false)], 'was broken off'],
    ['another one’s fault', [response(502)], 'got 502'],
  ])('sees that the next request on the connection gets %s', (_what, next, words) => {
    const seen = { askedAgain: true, account: account([response(502), ...next]) };
    expect(verdict('reset', 'stays', seen)).toContain(words);
    const unasked = { ...stays(502), askedAgain: false };
    expect(verdict('reset', 'stays', unasked)).toBe('right');
  });

  it('sees a response for which nobody has asked, and a connection that is closed under the next request', () => {
    const stray = { account: account([response(502), response(200), response(200)]), askedAgain: true };
    expect(verdict('reset', 'stays', stray)).toMatch(
      /a second response came on the connection, with status 200/,
    );
    const closed = { account: account([response(502), response(200)], 'rst'), askedAgain: true };
    expect(verdict('reset', 'stays', closed)).toMatch(/reset \d+ ms after a whole answer/);
    const usual = { status: 200, bodyBytes: 1, calls: [], closesSoon: true };
    expect(verdict('reset', 'stays', { ...closed, baseline: usual })).toBe('right');
    const announced = { ...response(200), headers: { connection: 'close' } };
    const told = { account: account([response(502), announced], 'fin'), askedAgain: true };
    expect(verdict('reset', 'stays', told)).toBe('right');
  });

  it.each(['POST', 'PATCH'])('sees a %s that is sent twice, and lets others be', (method) => {
    const sent = (key: string): SeenAttempt => ({ ...attempt('cut-by-upstream'), key });
    const twice = { ...stays(502), attempts: [sent(`${method} /a`), sent(`${method} /a`)] };
    expect(verdict('reset', 'stays', twice, method)).toBe(
      `the ${method} /a was sent to the upstream 2 times`,
    );
    const two = { ...stays(502), attempts: [sent(`${method} /a`), sent(`${method} /b`)] };
    expect(verdict('reset', 'stays', two, method)).toBe('right');
    const usual = { status: 200, bodyBytes: 1, calls: twice.attempts, closesSoon: false };
    expect(verdict('reset', 'stays', { ...twice, baseline: usual }, method)).toBe('right');
    for (const other of ['GET', 'PUT', 'DELETE']) {
      const harmless = { ...stays(502), attempts: [sent(`${other} /a`), sent(`${other} /a`)] };
      expect(verdict('reset', 'stays', harmless, method)).toBe('right');
    }
  });
});

describe('judge(): a client that leaves', () => {
  const left = { account: account([], 'we-left') };

  it.each(['leaves-fin', 'leaves-rst', 'leaves-in-request'] as const)('needs no answer: %s', (client) => {
    expect(verdict('hang', client, { ...left, attempts: [attempt('cut-by-client')] })).toBe('right');
  });

  it.each(ROWS)('leaves no call behind that goes on: %s', (fault) => {
    expect(verdict(fault, 'leaves-fin', { ...left, attempts: [attempt('running')] })).toBe(
      'the call to the upstream was never ended',
    );
  });

  it.each(['slow', 'hang', 'hang-body'] as const)('is not worked for: %s', (fault) => {
    const byDeadline = [attempt('cut-by-client', 990, 960)];
    expect(verdict(fault, 'leaves-rst', { ...left, attempts: byDeadline })).toMatch(/by the deadline only/);
    expect(verdict(fault, 'leaves-rst', { ...left, attempts: [attempt('answered')] })).toMatch(
      /had to answer/,
    );
  });

  it('may leave a moment before the deadline', () => {
    expect(verdict('hang', 'leaves-fin', { ...left, attempts: [attempt('cut-by-client', 990, 20)] })).toBe(
      'right',
    );
  });

  it('may leave just after the upstream has answered', () => {
    const seen = {
      account: account([response(200, false)], 'we-left'),
      attempts: [attempt('answered', 300, -1)],
    };
    expect(verdict('slow', 'leaves-in-response', seen)).toBe('right');
    expect(
      verdict('slow', 'leaves-in-response', { ...seen, attempts: [attempt('answered', 300, 1)] }),
    ).toMatch(/had to answer/);
  });

  it('is not worked for by an upstream that had answered at once', () => {
    expect(verdict('ok', 'leaves-fin', { ...left, attempts: [attempt('answered')] })).toBe('right');
  });

  it('may see the deadline’s answer first', () => {
    const seen = {
      account: account([response(504, false)], 'we-left'),
      attempts: [attempt('cut-by-client', 1000, 900)],
    };
    expect(verdict('hang', 'leaves-in-response', seen)).toBe('right');
  });

  it('must not have seen a wrong beginning', () => {
    const began = (status: number, complete: boolean): Partial<CellObservation> => ({
      account: account([response(status, complete)], 'we-left'),
    });
    expect(verdict('reset', 'leaves-in-response', began(500, false))).toBe('500 instead of 502');
    expect(verdict('reset-chunk', 'leaves-in-response', began(200, false))).toBe('right');
    expect(verdict('reset-chunk', 'leaves-in-response', began(200, true))).toMatch(/fragment/);
  });

  it('is answered or left when it half-closes, but not kept waiting', () => {
    const kept = { account: account([]), attempts: [attempt('cut-by-client')] };
    expect(verdict('slow', 'leaves-in-request', kept)).toMatch(/neither an answer nor an end/);
    expect(verdict('slow', 'leaves-in-request', stays(200))).toBe('right');
    const ended = { account: account([], 'fin'), attempts: [attempt('cut-by-client')] };
    expect(verdict('slow', 'leaves-in-request', ended)).toBe('right');
  });

  it('does not have half of its upload passed off as the whole', () => {
    const half = { ...left, attempts: [{ ...attempt('answered'), bodyBytes: 500 }] };
    expect(verdict('ok', 'leaves-in-request', half, 'POST')).toMatch(/half of the body/);
    expect(verdict('ok', 'leaves-fin', half, 'POST')).toBe('right');
    const other = { ...left, attempts: [{ ...attempt('answered'), bodyBytes: 2 }] };
    expect(verdict('ok', 'leaves-in-request', other, 'POST')).toBe('right');
  });
});
