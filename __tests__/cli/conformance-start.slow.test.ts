import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { commandLine } from '../../src/cli/command-line';
import { TEST_CERTIFICATES, TEST_KEY } from '../../src/testing/upstream/test-certificates';

const APP = `"${process.execPath}" "${join(__dirname, 'apps/relay.mjs')}"`;
const SHORT = ['--method', 'GET', '--deadline', '300', '--client', 'stays', '--route', '/orders/{n}'];
const folder = mkdtempSync(join(tmpdir(), 'conformance-'));

afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await commandLine(['conformance', ...args], {
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { code, out, err };
}

/** An app that is right, with variables in front of its command. */
const right = (variables: string): string[] => [
  ...['--start', `${variables} ${APP}`, '--env', 'API_URL', ...SHORT],
  ...['--fault', 'ok', '--fault', 'reset'],
];

describe('express-hangup conformance --start: apps that are started in other ways', () => {
  it.each([
    ['listens on ::1 only, as localhost may mean', 'HOST=::1'],
    ['writes a megabyte without an end of line for each request', 'CHATTY=1000000'],
    ['answers the question whether it is there by a stream without an end', 'ENDLESS=1'],
    ['speaks HTTPS', `TLS_KEY="${TEST_KEY}" TLS_CERT="${TEST_CERTIFICATES['self-signed']}"`],
    ['takes two and a half seconds for its first answer', 'SLOW=2500'],
  ])('judges one that %s', async (_what, variables) => {
    const { code, out } = await run(...right(variables));
    expect([code, out]).toEqual([0, expect.stringContaining('2 right, 0 wrong, 0 not seen.')]);
  });

  it('says so where the command ends and leaves the app to run by itself', async () => {
    const { code, err } = await run('--start', 'exit 0', '--env', 'API_URL');
    expect([code, err.replace(/\s+/g, ' ')]).toEqual([
      2,
      expect.stringContaining('ended with code 0. The command must run as long as the app does.'),
    ]);
  });

  it('does not judge what listens on the port already', async () => {
    const other = createServer((_req, res) => res.end('I am another app'));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, err } = await run(...right(''), '--port', String(port));
    other.close();
    expect(code).toBe(2);
    expect(err.replace(/\s+/g, ' ')).toContain(
      `Something listens on port ${port} already, and would be judged in place of the app`,
    );
    // The command is shown as it is, whatever the length of its paths.
    expect(err.replace(/^Starting the app:.*$/m, '')).not.toMatch(/^.{81}/m);
  });

  it('ends what its command has started where only the command has ended', async () => {
    const pid = join(folder, 'left');
    const start = `sleep 60 & echo $! > "${pid}"; exit 3`;
    const { code, err } = await run('--start', start, '--env', 'API_URL');
    expect([code, err]).toEqual([2, expect.stringContaining('ended with code 3')]);
    // A signal is carried out when the kernel gets to it.
    while (isRunning(readFileSync(pid, 'utf8').trim())) await pause(5);
  });

  it.each(['junit', 'json'])('says at once where the file for --%s cannot be written', async (flag) => {
    const { code, out, err } = await run(...right(''), `--${flag}`, join(folder, 'no/such/folder/file'));
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`--${flag}: "`);
    expect(err).not.toContain('Starting the app');
  });
});

/** What was killed may still be a zombie that nobody has fetched. */
function isRunning(pid: string): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/^\d+ \(.*\) [ZX] /.test(readFileSync(path, 'utf8'));
}

describe('express-hangup conformance --start', () => {
  it('starts upstream and app, judges, tells how far it is, writes what is asked for, and stops the app', async () => {
    const [junit, json, pid] = [join(folder, 'a.xml'), join(folder, 'a.json'), join(folder, 'pid')];
    const start = `echo $$ > "${pid}"; exec ${APP}`;
    const faults = ['--fault', 'ok', '--fault', 'hang', '--fault', 'refuse'];
    const { code, out, err } = await run(
      '--start',
      start,
      '--env',
      'API_URL',
      ...SHORT,
      ...faults,
      '--junit',
      junit,
      '--json',
      json,
    );
    expect([code, out]).toEqual([0, expect.stringContaining('3 right, 0 wrong, 0 not seen.')]);
    expect(err).toMatch(/The upstream .* listens on .*\n.*Starting the app: .*\n {2}3 of 3 cells\n$/s);
    expect(readFileSync(junit, 'utf8')).toContain('tests="3" failures="0" skipped="0"');
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({
      ok: true,
      upstream: 'API_URL',
      cells: { length: 3 },
    });
    expect(existsSync(`/proc/${readFileSync(pid, 'utf8').trim()}`)).toBe(false);
  });

  it('ends with 1 for a wrong app, with annotations and a report that name the cause', async () => {
    const junit = join(folder, 'b.xml');
    const start = `FAULT=500 ${APP}`;
    const faults = ['--fault', 'ok', '--fault', 'reset'];
    const { code, out } = await run(
      '--start',
      start,
      '--env',
      'API_URL={url}/v1',
      ...SHORT,
      ...faults,
      '--junit',
      junit,
      '--github',
    );
    expect(code).toBe(1);
    expect(out).toContain(
      '::error title=express-hangup conformance%3A API_URL::500 instead of 502 (1: reset, GET stays)%0A',
    );
    expect(out).not.toMatch(/^(?!::).{81}/m);
    expect(readFileSync(junit, 'utf8')).toContain('<failure message="500 instead of 502"/>');
  });

  it('takes other statuses for right where it is told so, and answers what it is told to', async () => {
    const answer = join(folder, 'answer.json');
    writeFileSync(answer, '{"orders":[]}');
    const faults = ['--fault', 'ok', '--fault', 'reset', '--expect', 'reset,close=500,503'];
    const { code } = await run(
      '--start',
      `FAULT=500 ${APP}`,
      '--env',
      'API_URL',
      ...SHORT,
      ...faults,
      '--answer',
      `/orders=${answer}`,
    );
    expect(code).toBe(0);
  });

  it('sees an app whose process ends, and starts it again', async () => {
    const { code, out } = await run(
      '--start',
      `FAULT=crash ${APP}`,
      '--env',
      'API_URL',
      ...SHORT,
      '--fault',
      'reset',
      '--fault',
      'ok',
    );
    expect(code).toBe(1);
    expect(out.replace(/\s+/g, ' ')).toMatch(
      /✗ 1 cell: the process would have crashed: the process ended with code \d+ \(Error: /,
    );
    expect(out).toContain('1 right, 1 wrong');
  });

  it('says so where the app calls another address', async () => {
    const { code, err } = await run(
      '--start',
      `API_URL=http://127.0.0.1:1 ${APP}`,
      '--env',
      'WRONG_NAME',
      ...SHORT,
    );
    expect(code).toBe(2);
    expect(err.replace(/\s+/g, ' ')).toMatch(
      /GET \/orders\/\{n\} answered 502 while its upstream was well\. It did not call the upstream at http/,
    );
  });
});
