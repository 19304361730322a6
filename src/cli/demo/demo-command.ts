import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import type { Terminal } from '../command-line';
import { observe, type Exchange } from './observe';
import { Stack, type StackName } from './stack';
import { Table } from './table';
import { TROUBLES } from './troubles';

/** The Express that the demo runs on. */
interface FoundExpress {
  path: string;
  version: string;
}

const USAGE = `Usage: npx express-hangup demo

Starts three apps with the same routes, each in a process of its own: plain
Express, Express with the AbortController snippet, and Express with
express-hangup. Sends them the same requests while their upstream fails, and
shows what was seen. It takes about five seconds and opens ports on 127.0.0.1
only. Run it where your app is: it uses the Express that is installed there.
`;

const COLUMNS: Record<StackName, string> = {
  plain: 'plain Express',
  snippet: "AbortController + req.on('close')",
  ours: 'express-hangup',
};

/** Not shown. A process's first fetch() loads much: on a busy machine it alone takes longer than the apps' second. */
const WARM_UP: Exchange = { fault: 'ok', request: { path: '/price' } };

/** Runs `express-hangup demo`; gives the exit code: 0 shown, 1 could not be shown, 2 called wrongly. Never throws. */
export async function demoCommand(args: readonly string[], { out, err }: Terminal): Promise<number> {
  const [first] = args;
  if (first === '--help' || first === '-h') {
    out(USAGE);
    return 0;
  }
  if (first !== undefined) {
    err(`express-hangup demo takes no arguments, and was given "${first}".\n\n${USAGE}`);
    return 2;
  }
  const express = findExpress(process.cwd());
  if (express === undefined) {
    err(
      `The demo runs on your own Express, and none is installed in ${process.cwd()}.\nInstall it there, then try again: npm install express\n`,
    );
    return 1;
  }
  try {
    await show(express, out);
    return 0;
  } catch (error) {
    err(`The demo could not be shown. ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** Express as `require('express')` finds it in this directory. */
function findExpress(directory: string): FoundExpress | undefined {
  const requireThere = createRequire(join(directory, 'demo.js'));
  try {
    const { version } = requireThere('express/package.json') as { version: string };
    return { path: requireThere.resolve('express'), version };
  } catch {
    return undefined;
  }
}

async function show({ path, version }: FoundExpress, out: Terminal['out']): Promise<void> {
  out(`Express ${version} on Node ${process.versions.node}: the same routes three times, before an
upstream that fails as it is told. Nothing here is prepared: it happens now.\n\n`);
  const names = Object.keys(COLUMNS) as StackName[];
  const started = await Promise.allSettled(names.map((name) => Stack.start(name, path)));
  const stacks = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  try {
    for (const result of started) if (result.status === 'rejected') throw result.reason;
    await showTroubles(stacks, out);
  } finally {
    await Promise.all(stacks.map((stack) => stack.stop()));
  }
}

async function showTroubles(stacks: readonly Stack[], out: Terminal['out']): Promise<void> {
  const table = new Table(isInColour());
  const tally = stacks.map(() => 0);
  await Promise.all(stacks.map((stack) => observe(stack, WARM_UP)));
  out(`${table.head(Object.values(COLUMNS))}\n`);
  for (const trouble of TROUBLES) {
    const seen = await Promise.all(stacks.map((stack) => observe(stack, trouble)));
    const cells = seen.map((one) => ({ lines: trouble.inWords(one), isHonest: trouble.isHonest(one) }));
    cells.forEach(({ isHonest }, column) => (tally[column] = (tally[column] ?? 0) + Number(isHonest)));
    out(`${table.row(trouble.about, trouble.wanted, cells)}\n`);
  }
  const total = TROUBLES.length;
  const sums = tally.map((right) => ({ lines: [`${right} of ${total}`], isHonest: right === total }));
  out(table.row('As it is wanted', '', sums));
  out(`\n${WHAT_NEXT}${relative(process.cwd(), join(__dirname, 'apps'))}\n`);
}

const WHAT_NEXT = `The stream is body.pipe(res) in the first two and pipeline(body, res) in the
third. With pipeline() plain Express 5 lives on, too; Express 4 does not.

In your own app:
  app.use(hangup({ deadline: 10_000 }));       // before your routes
  await fetch(url, { signal: req.signal });    // in your routes
  app.use(gatewayErrorHandler());              // after your routes

The three apps, to read: `;

/** Only a terminal has this method. It heeds NO_COLOR, FORCE_COLOR, NODE_DISABLE_COLORS and TERM. */
function isInColour(): boolean {
  const stream: { hasColors?: () => boolean } = process.stdout;
  return stream.hasColors?.() ?? false;
}
