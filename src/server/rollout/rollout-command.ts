import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { lock, readRecord } from './record';
import { rollOut, type RolloutPlan } from './roll-out';
import { readConfig, writeConfig } from './rollout-config';

/** Where a command writes. */
interface Terminal {
  out: (text: string) => void;
  err: (text: string) => void;
}

const HELP = `Usage: express-hangup rollout <init | run | back> [options]

Replaces a running version by a new one on this machine, behind HAProxy, without losing a request.

  init            writes rollout/haproxy.cfg and rollout/rollout.json, which explain themselves
    --port <n>      HAProxy's own port (8080)
  run             starts a version, waits until it is ready, tries it, shifts the traffic, drains the old version;
                  takes it back by itself if it is worse
    --as <name>     the version's name (the time)
    --cwd <path>    where its command runs (.)
  back            the same with the version that served before
  both:
    --approve       asks for a "yes" before the version gets any traffic
  all:
    --dir <path>    the rollout's own directory (rollout)

Exit code: 0 shifted, 1 refused or taken back, 2 nothing tried. docs/deploys.md has the rest.
`;

const OPTIONS = {
  dir: { type: 'string', default: 'rollout' },
  port: { type: 'string', default: '8080' },
  as: { type: 'string' },
  cwd: { type: 'string', default: '.' },
  approve: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** `express-hangup rollout …`: gives the exit code, and never throws. */
export async function rolloutCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await run(args, terminal);
  } catch (error) {
    terminal.err(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

type Base = Omit<RolloutPlan, 'say' | 'signal'>;

async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const [action, ...rest] = positionals;
  if (values.help || action === undefined) {
    terminal.out(HELP);
    return values.help ? 0 : 2;
  }
  if (rest.length > 0) throw new Error(`express-hangup rollout ${action} takes no "${rest.join(' ')}".`);
  const directory = resolve(values.dir);
  if (action === 'init') return init(directory, values.port, terminal);
  if (action !== 'run' && action !== 'back')
    throw new Error(`express-hangup rollout has no "${action}".\n\n${HELP}`);
  const config = readConfig(directory);
  const { as: version = new Date().toISOString(), cwd } = values;
  const next =
    action === 'back' ? versionBefore(directory) : { version, command: config.command, cwd: resolve(cwd) };
  const base: Base = { directory, config, action, next };
  return replace(values.approve ? withApproval(base, terminal) : base, terminal);
}

function init(directory: string, given: string, terminal: Terminal): number {
  const port = Number(given);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`--port is ${given}, but must be a number from 1 to 65535.`);
  const written = writeConfig(directory, port);
  terminal.out(written.length === 0 ? 'Everything is there already.\n' : `Written: ${written.join(', ')}\n`);
  terminal.out(`Next: haproxy -W -f ${directory}/haproxy.cfg, and express-hangup rollout run\n`);
  return 0;
}

function withApproval(base: Base, terminal: Terminal): Base {
  const { next } = base;
  const approve = async (): Promise<boolean> => {
    terminal.out(`${next.version} is ready. Let it have traffic? (yes/no) `);
    const lines = createInterface({ input: process.stdin });
    // If the input closes without an answer, the rollout is not approved.
    const closed = new Promise<string>((done) => lines.once('close', () => done('no')));
    const answer = await Promise.race([lines.question(''), closed]);
    lines.close();
    return /^y(es)?$/i.test(answer.trim());
  };
  return { ...base, approve };
}

async function replace(base: Base, terminal: Terminal): Promise<number> {
  const unlock = lock(base.directory);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new Error('it was interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  try {
    const say = (text: string): void => terminal.out(`${text}\n`);
    const { outcome } = await rollOut({ ...base, say, signal: interrupted.signal });
    return outcome === 'shifted' ? 0 : 1;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
    unlock();
  }
}

function versionBefore(directory: string): RolloutPlan['next'] {
  const record = readRecord(directory);
  const before = record.findLast(({ outcome }) => outcome === 'shifted')?.before;
  if (before == null) throw new Error(`There is no version to go back to in ${directory}/record.jsonl.`);
  const { version, command, cwd } = before;
  return { version, command, cwd };
}
