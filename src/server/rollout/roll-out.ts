import { join } from 'node:path';
import { HaproxyApi } from './haproxy-api';
import { otherSlot } from './haproxy-config';
import { isAlive, probe, startInstance, stopInstance, type Instance } from './instance';
import { BadVersion, becomesReady, since, staysGood } from './judge-version';
import { addToRecord, readRecord, type Placed, type RolloutRecord } from './record';
import type { RolloutConfig } from './rollout-config';
import { BACKEND, TrafficShift } from './traffic-shift';

/** The settings of one rollout. */
export interface RolloutPlan {
  directory: string;
  config: RolloutConfig;
  action: RolloutRecord['action'];
  next: Pick<Instance, 'version' | 'command' | 'cwd'>;
  /** Asks the user whether a version that is ready may have traffic. Without it, no approval is needed. */
  approve?: () => Promise<boolean>;
  say: (text: string) => void;
  /** Aborts when the user interrupts: the new version is taken back. */
  signal: AbortSignal;
}

type Outcome = Pick<RolloutRecord, 'outcome' | 'why' | 'serving'>;

/**
 * Starts a version, and replaces the serving one by it if it is ready and has no more errors. Otherwise the old version
 * goes on. A line is added to the record in both cases.
 */
export async function rollOut(plan: RolloutPlan): Promise<Outcome> {
  const { directory, action, next } = plan;
  const startedAt = performance.now();
  const api = new HaproxyApi(join(directory, 'haproxy.sock'));
  const before = readRecord(directory).at(-1)?.serving ?? undefined;
  const countsBefore = await api.counts(BACKEND, 'BACKEND');
  const outcome = await new Replacement(plan, api, before).run();
  const { requests, errors } = since(countsBefore, await api.counts(BACKEND, 'BACKEND'));
  addToRecord(directory, {
    action,
    version: next.version,
    replaces: before?.version ?? null,
    ...outcome,
    ...(plan.approve !== undefined && outcome.outcome === 'shifted' && { approved: true }),
    ms: Math.round(performance.now() - startedAt),
    requests,
    lost: errors,
    before: before ?? null,
  });
  return outcome;
}

class Replacement {
  private readonly shift: TrafficShift;
  private hasTraffic = false;

  constructor(
    private readonly plan: RolloutPlan,
    private readonly api: HaproxyApi,
    private readonly before: Placed | undefined,
  ) {
    this.shift = new TrafficShift(api, plan.directory);
  }

  async run(): Promise<Outcome> {
    const { directory, next, say } = this.plan;
    const version: Placed = { ...(await startInstance(next, directory)), slot: otherSlot(this.before?.slot) };
    say(`${version.version} starts as process ${version.pid} on port ${version.port}.`);
    try {
      await this.shiftTo(version);
    } catch (error) {
      return this.takeBack(version, error);
    }
    await this.retire();
    return { outcome: 'shifted', serving: version };
  }

  private async shiftTo(version: Placed): Promise<void> {
    const { config, approve, say, signal } = this.plan;
    await becomesReady(version, config, signal);
    say(`${version.version} is ready.`);
    if (approve !== undefined && !(await approve())) throw new BadVersion('it was not approved');
    const old = this.living;
    const watch = { config, api: this.api, signal };
    this.hasTraffic = true;
    if (old !== undefined) {
      await this.shift.giveTrial(version, old);
      say(`${version.version} is on trial for ${config.trial} ms: some of the GETs.`);
      await staysGood(version, { ...watch, ms: config.trial });
    }
    await this.shift.giveAll(version, otherSlot(version.slot));
    say(`${version.version} serves.`);
    if (old !== undefined) await staysGood(version, { ...watch, ms: config.watch });
  }

  /** The old version, if it can still serve. */
  private get living(): Placed | undefined {
    return this.before !== undefined && isAlive(this.before) ? this.before : undefined;
  }

  private async takeBack(version: Placed, error: unknown): Promise<Outcome> {
    const { config, say } = this.plan;
    if (this.hasTraffic) await this.shift.takeBack(version.slot, this.living);
    // A version that hangs finishes no request. It is killed at once, and HAProxy sends the waiting GETs to the old
    // version.
    const answers = isAlive(version) && (await probe(version.port, config.readiness)) !== 0;
    await stopInstance(version, answers ? config.stopWithin : 0);
    const why = error instanceof Error ? error.message : String(error);
    say(`${version.version} is ${this.hasTraffic ? 'taken back' : 'refused'}: ${why}.`);
    if (this.living !== undefined) say(`${this.living.version} serves.`);
    return { outcome: this.hasTraffic ? 'taken back' : 'refused', why, serving: this.living ?? null };
  }

  private async retire(): Promise<void> {
    const { config, say } = this.plan;
    const { before, living } = this;
    if (before === undefined) return;
    if (living !== undefined) {
      const how = await stopInstance(living, config.stopWithin);
      say(
        `${living.version} has ${how === 'ended' ? 'drained and ended' : `been killed after ${config.stopWithin} ms`}.`,
      );
    }
    await this.shift.close(before.slot);
  }
}
