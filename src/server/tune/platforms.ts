import { existsSync } from 'node:fs';
import { milliseconds, wrongType } from '../../options';

/** How long a platform waits after its signal before it kills the process, in milliseconds. */
export interface GracePeriod {
  /** Its name in findings. */
  name: string;
  ms: number;
  /** The setting by which it is raised. */
  setting: string;
}

/** The platforms that `tuneServer()` knows by name. */
export type Platform = 'docker' | 'kubernetes' | 'heroku' | 'cloud-run' | 'ecs' | 'fly' | 'pm2' | 'systemd';

/** Their documented defaults. `docs/timeouts.md` has the sources, and is tested against this table. */
export const PLATFORMS: Readonly<Record<Platform, GracePeriod>> = {
  docker: { name: 'Docker', ms: 10_000, setting: '--stop-timeout, or stop_grace_period in compose' },
  kubernetes: { name: 'Kubernetes', ms: 30_000, setting: 'terminationGracePeriodSeconds' },
  heroku: { name: 'Heroku', ms: 30_000, setting: 'nothing: it is fixed' },
  'cloud-run': { name: 'Cloud Run', ms: 10_000, setting: 'nothing: it is fixed' },
  ecs: { name: 'Amazon ECS', ms: 30_000, setting: 'stopTimeout' },
  fly: { name: 'Fly.io', ms: 5000, setting: 'kill_timeout' },
  pm2: { name: 'PM2', ms: 1600, setting: 'kill_timeout' },
  systemd: { name: 'systemd', ms: 90_000, setting: 'TimeoutStopSec' },
};

/**
 * The variables that platforms set for their processes. PM2 is first: if it runs inside another platform, it kills
 * first.
 */
const SIGNS: readonly (readonly [variable: string, Platform])[] = [
  ['pm_id', 'pm2'],
  ['K_SERVICE', 'cloud-run'],
  ['KUBERNETES_SERVICE_HOST', 'kubernetes'],
  ['ECS_CONTAINER_METADATA_URI_V4', 'ecs'],
  ['FLY_APP_NAME', 'fly'],
  ['DYNO', 'heroku'],
];

/** The platform that this process runs on, if it can be detected. */
export function platformHere(env: NodeJS.ProcessEnv = process.env, pid = process.pid): Platform | undefined {
  const sign = SIGNS.find(([variable]) => env[variable] !== undefined);
  if (sign !== undefined) return sign[1];
  // Docker's only sign is a file, which a developer's or a CI's container has, too. But a deployed server is the
  // container's first process.
  return pid === 1 && existsSync('/.dockerenv') ? 'docker' : undefined;
}

/** The grace period of option "terminationGracePeriod"; without it, the default of the platform that this runs on. */
export function gracePeriodOf(option: unknown): GracePeriod | undefined {
  const value = option ?? platformHere();
  if (value === undefined) return undefined;
  if (typeof value === 'string' && Object.hasOwn(PLATFORMS, value)) return PLATFORMS[value as Platform];
  const where = 'tuneServer(): option "terminationGracePeriod"';
  if (typeof value !== 'number') {
    const names = Object.keys(PLATFORMS).map((name) => `'${name}'`);
    throw wrongType(where, value, `one of ${names.join(', ')}, or the time in milliseconds`);
  }
  return { name: 'the platform', ms: milliseconds(where, value), setting: 'its grace period' };
}
