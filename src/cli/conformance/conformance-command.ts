import { writeFileSync } from 'node:fs';
import { runConformance, type Outside } from '../../testing/conformance/conformance';
import type { ConformanceOptions } from '../../testing/conformance/plan';
import type { ConformanceResult } from '../../testing/conformance/result';
import type { ConformanceUpstream } from '../../testing/conformance/upstream';
import { folded } from '../../testing/conformance/verdicts/summary';
import { faultyTcp } from '../../testing/tcp/faulty-tcp';
import { faultyUpstream } from '../../testing/upstream/faulty-upstream';
import type { Terminal } from '../command-line';
import { whenInterrupted } from '../interruptions';
import { AppProcess, freePort } from './app-process';
import { commandOptions, inFlags, type CommandOptions } from './command-options';
import { githubAnnotations, junitReport, type NamedResult } from './reports';
import { USAGE } from './usage';

const FROM_OUTSIDE = `From outside nobody sees unhandled rejections that did not end the process, or
what a handler writes too late: run conformance(app) in a test for these.
`;

/** An upstream that was started, and the variable that tells the app of it. */
interface Started {
  name: string;
  upstream: ConformanceUpstream & { close(): Promise<void> };
  env: NodeJS.ProcessEnv;
}

/** Runs `express-hangup conformance …`; gives the exit code, and never throws. */
export async function conformanceCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const options = commandOptions(args);
    if (options === undefined) {
      terminal.out(USAGE);
      return 0;
    }
    checkFiles(options);
    const results = await runAll(options, terminal);
    report(results, options, terminal);
    if (results.some(({ result }) => result.wrong > 0)) return 1;
    return results.every(({ result }) => result.ok) ? 0 : 2;
  } catch (error) {
    const message = inFlags(error instanceof Error ? error.message : String(error));
    terminal.err(
      `${message
        .split('\n')
        .map((line) => folded(line))
        .join('\n')}\n`,
    );
    return 2;
  }
}

/** Empties the files for the reports. A file that cannot be written is reported before the run, and no old report is left. */
function checkFiles({ junit, json }: CommandOptions): void {
  for (const [flag, file] of Object.entries({ junit, json })) {
    if (file === undefined || file === '-') continue;
    try {
      writeFileSync(file, '');
    } catch (error) {
      throw new TypeError(`--${flag}: "${file}" cannot be written: ${(error as Error).message}.`, {
        cause: error,
      });
    }
  }
}

async function runAll(options: CommandOptions, terminal: Terminal): Promise<NamedResult[]> {
  const upstreams = await startUpstreams(options, terminal);
  try {
    const { start, url } = options;
    if (start === undefined)
      return await judgeAll(url?.origin ?? '', upstreams, options.conformance, undefined, terminal);
    const env = Object.assign({}, ...upstreams.map((started) => started.env)) as NodeJS.ProcessEnv;
    const app = new AppProcess(start.command, start.port ?? (await freePort()), env, start.waitMs);
    const stopOn = stopWhenInterrupted(app);
    try {
      terminal.err(`Starting the app: ${start.command}\n`);
      await app.start();
      return await judgeAll(app.url, upstreams, options.conformance, app, terminal);
    } finally {
      stopOn();
      await app.stop();
    }
  } finally {
    await Promise.all(upstreams.map(({ upstream }) => upstream.close()));
  }
}

/**
 * The app is in a process group of its own, which neither Ctrl-C nor a terminal that is closed reaches. The first signal lets it
 * end by itself, the second one does not.
 */
function stopWhenInterrupted(app: AppProcess): () => void {
  let isStopping = false;
  return whenInterrupted((exitCode) => {
    if (isStopping) {
      app.kill();
      process.exit(exitCode);
    }
    isStopping = true;
    void app.stop().then(() => process.exit(exitCode));
  });
}

async function startUpstreams(
  { env, tcp, upstreamPort }: CommandOptions,
  { err }: Terminal,
): Promise<Started[]> {
  const started: Started[] = [];
  const names = Object.keys(env);
  if (upstreamPort !== undefined || names.length > 0) {
    const upstream = await listening(upstreamPort);
    const told = Object.entries(env).map(([name, value]) => [name, filledIn(value, upstream)]);
    started.push({
      name: names.join(', ') || 'upstream',
      upstream,
      env: Object.fromEntries(told) as NodeJS.ProcessEnv,
    });
    err(`The upstream that fails on demand listens on ${upstream.url}.\n`);
  }
  for (const name of tcp) {
    const target = process.env[name];
    if (target === undefined)
      throw new TypeError(
        `--tcp is ${name}, but there is no such variable: it must hold the URL of the real server.`,
      );
    const upstream = await faultyTcp({ target });
    started.push({ name, upstream, env: { [name]: upstream.url } });
    err(`Faults are put in front of what ${name} names, on 127.0.0.1:${upstream.port}.\n`);
  }
  return started;
}

const WHY_NOT_LISTENING: Record<string, string> = {
  EADDRINUSE: 'something listens there already: stop the real upstream of the app first.',
  EACCES: 'you may not listen there: take a port from 1024 upwards.',
};

async function listening(port: number | undefined): Promise<Started['upstream']> {
  try {
    return await faultyUpstream(port === undefined ? {} : { port });
  } catch (error) {
    const why = WHY_NOT_LISTENING[(error as { code?: string }).code ?? ''];
    if (why === undefined) throw error;
    throw new TypeError(`--upstream is ${port}, but ${why}`, { cause: error });
  }
}

function filledIn(value: string, { url, port }: { url: string; port: number }): string {
  return value
    .replaceAll('{url}', url)
    .replaceAll('{host}', `127.0.0.1:${port}`)
    .replaceAll('{port}', String(port));
}

async function judgeAll(
  url: string,
  upstreams: readonly Started[],
  options: ConformanceOptions,
  outside: Outside | undefined,
  { err }: Terminal,
): Promise<NamedResult[]> {
  const eyes = outside && { takeCrashes: () => outside.takeCrashes(), revive: () => outside.revive() };
  const onCell: ConformanceOptions['onCell'] = (_cell, judged, of) => {
    if (judged % 20 === 0 || judged === of) err(`  ${judged} of ${of} cells\n`);
  };
  const runs: NamedResult[] = [];
  for (const { name, upstream } of upstreams.length > 0 ? upstreams : [undefinedUpstream]) {
    const given = upstream === undefined ? options : { ...options, upstream };
    const result = await runConformance(url, { ...given, onCell }, eyes);
    runs.push({ name, result });
  }
  return runs;
}

const undefinedUpstream = { name: 'upstream', upstream: undefined };

function report(
  results: readonly NamedResult[],
  { junit, json, github }: CommandOptions,
  { out }: Terminal,
): void {
  const data = results.map(({ name, result }) => ({ upstream: name, ...result.json }));
  const text = `${JSON.stringify(data.length === 1 ? data[0] : data, undefined, 2)}\n`;
  if (json !== undefined && json !== '-') writeFileSync(json, text);
  if (junit !== undefined) writeFileSync(junit, junitReport(results));
  if (json === '-') {
    out(text);
    return;
  }
  for (const { name, result } of results) out(inFlags(words(results.length > 1 ? `${name}: ` : '', result)));
  if (github) out(githubAnnotations(results));
  out(`\n${FROM_OUTSIDE}`);
}

function words(name: string, result: ConformanceResult): string {
  const { right, wrong, flaky, unseen } = result;
  const more = flaky > 0 ? `, ${flaky} flaky` : '';
  return `${name}${result.table()}\n\n${right} right, ${wrong} wrong${more}, ${unseen} not seen.\n`;
}
