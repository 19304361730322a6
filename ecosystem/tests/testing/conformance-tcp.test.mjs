// `npx express-hangup conformance --tcp`, as somebody runs it whose Express app has a database.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { servers } from './servers.mjs';

const start = servers.redis();
const ROOT = join(import.meta.dirname, '../../..');
const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const COMMAND = join(ROOT, bin['express-hangup']);
const APP = `"${process.execPath}" "${join(import.meta.dirname, 'apps/orders.mjs')}"`;

/** Runs the command with a Redis of its own. */
async function judge(...args) {
  const server = await start();
  const given = [
    'conformance',
    '--tcp',
    'REDIS_URL',
    '--route',
    '/orders',
    '--method',
    'GET',
    '--deadline',
    '400',
  ];
  const env = { ...process.env, REDIS_URL: `redis://127.0.0.1:${server.port}` };
  try {
    return await new Promise((resolve) => {
      execFile(process.execPath, [COMMAND, ...given, ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
  } finally {
    await server.stop();
  }
}

const skip = start ? false : 'Redis is not installed';

test(
  'express-hangup conformance --tcp finds nothing wrong with an honest app before Redis',
  { skip },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
    const junit = join(folder, 'report.xml');
    // What is no answer of the protocol the client may take for the beginning of a long one.
    const expect = ['--expect', 'garbage=502,504'];
    const { code, stdout, stderr } = await judge('--start', APP, ...expect, '--junit', junit);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stderr, /Faults are put in front of what REDIS_URL names, on 127\.0\.0\.1:\d+\./);
    assert.match(stdout, / right, 0 wrong/);
    assert.doesNotMatch(stdout, /^.{81}/m);
    assert.match(readFileSync(junit, 'utf8'), /failures="0"/);
    rmSync(folder, { recursive: true });
  },
);

test(
  'express-hangup conformance --tcp names what an app before Redis does that has no deadline',
  { skip },
  async () => {
    const faults = ['--fault', 'ok', '--fault', 'hang', '--client', 'stays'];
    const { code, stdout } = await judge('--start', `FAULT=slow ${APP}`, ...faults);
    assert.equal(code, 1, stdout);
    assert.match(stdout, /no answer within \d+ ms/);
  },
);
