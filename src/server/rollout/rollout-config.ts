import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkNames, milliseconds, wrongType } from '../../options';
import { haproxyConfig, slotsMap } from './haproxy-config';

/** The content of `rollout.json`. All times are milliseconds. */
export interface RolloutConfig {
  /**
   * Starts one version, which listens on the port in its environment variable `PORT`. `{port}` and `{version}` are
   * replaced.
   */
  command: string[];
  /**
   * The path on which a version answers 200 when it is ready for traffic: `drainable()`'s `readiness` is mounted
   * there.
   */
  readiness: string;
  /** Paths that have to be answered below 500 before a new version gets any traffic. */
  checks: string[];
  /** How many times in a row `readiness` must answer 200, … */
  readyTimes: number;
  /** … and within which time after the start. */
  readyWithin: number;
  /**
   * How long a new version gets only some GETs and HEADs. HAProxy repeats those that fail, so no client sees a
   * failure.
   */
  trial: number;
  /** How long the old version still runs beside the new one, to take over again. */
  watch: number;
  /** By how many percentage points the new version's share of errors may be above the old version's. */
  moreErrors: number;
  /** How long after its signal the old version is killed. Set it above the drain's `force`. */
  stopWithin: number;
}

/** The defaults that `rollout init` writes. `docs/deploys.md` is tested against them. */
export const ROLLOUT_DEFAULTS: RolloutConfig = {
  command: ['node', 'server.mjs'],
  readiness: '/ready',
  checks: ['/'],
  readyTimes: 3,
  readyWithin: 30_000,
  trial: 5000,
  watch: 10_000,
  moreErrors: 1,
  stopWithin: 35_000,
};

const TIMES = ['readyWithin', 'trial', 'watch', 'stopWithin'] as const;

/** Reads and checks `rollout.json` in `directory`. */
export function readConfig(directory: string): RolloutConfig {
  const file = join(directory, 'rollout.json');
  if (!existsSync(file)) throw new Error(`There is no ${file}: run "express-hangup rollout init" first.`);
  const given = JSON.parse(readFileSync(file, 'utf8')) as Partial<RolloutConfig>;
  checkNames(file, given, Object.keys(ROLLOUT_DEFAULTS));
  const config = { ...ROLLOUT_DEFAULTS, ...given };
  for (const name of TIMES) milliseconds(`${file}: "${name}"`, config[name]);
  for (const name of ['readyTimes', 'moreErrors'] as const) {
    if (typeof config[name] !== 'number' || !(config[name] >= 0))
      throw wrongType(`${file}: "${name}"`, config[name], 'a number from 0');
  }
  for (const name of ['command', 'checks'] as const) checkStrings(`${file}: "${name}"`, config[name]);
  if (config.command.length === 0)
    throw wrongType(`${file}: "command"`, config.command, 'a program and its arguments');
  if (typeof config.readiness !== 'string' || !config.readiness.startsWith('/'))
    throw wrongType(`${file}: "readiness"`, config.readiness, "a path, such as '/ready'");
  return config;
}

function checkStrings(where: string, value: unknown): void {
  const isRight = Array.isArray(value) && value.every((item) => typeof item === 'string');
  if (!isRight) throw wrongType(where, value, 'an array of strings');
}

/**
 * Writes the configuration of HAProxy and of the rollout, and keeps existing files. Gives the files that it has
 * written.
 */
export function writeConfig(directory: string, port: number): string[] {
  const path = resolve(directory);
  mkdirSync(path, { recursive: true });
  const files: Record<string, string> = {
    'haproxy.cfg': haproxyConfig(path, port),
    'slots.map': slotsMap('blue', false),
    'servers.state': '',
    'rollout.json': `${JSON.stringify(ROLLOUT_DEFAULTS, null, 2)}\n`,
  };
  const missing = Object.entries(files).filter(([name]) => !existsSync(join(path, name)));
  for (const [name, text] of missing) writeFileSync(join(path, name), text);
  return missing.map(([name]) => join(path, name));
}
