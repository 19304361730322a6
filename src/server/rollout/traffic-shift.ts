import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HaproxyApi } from './haproxy-api';
import { slotsMap, type Slot } from './haproxy-config';
import type { Placed } from './record';

/** The backend of `rollout init`'s configuration. */
export const BACKEND = 'app';

const FULL_WEIGHT = 100;
/** A new version on trial gets 5 of 105 requests of the kinds that it may have. */
const TRIAL_WEIGHT = 5;

/** Moves the traffic between the two slots, and writes the current state to files for HAProxy's next start. */
export class TrafficShift {
  private readonly map: string;

  constructor(
    private readonly api: HaproxyApi,
    private readonly directory: string,
  ) {
    this.map = join(directory, 'slots.map');
  }

  /** Gives all traffic to one version, and none to the slot `other`. Open connections of that slot may still finish. */
  async giveAll(to: Placed, other: Slot): Promise<void> {
    await this.place(to, FULL_WEIGHT);
    await this.say(to.slot, false);
    await this.api.ask(`set server ${BACKEND}/${other} state drain`);
    await this.remember();
  }

  /** Gives a few GETs and HEADs to the new version. */
  async giveTrial(to: Placed, stable: Placed): Promise<void> {
    await this.say(stable.slot, true);
    await this.place(to, TRIAL_WEIGHT);
  }

  /** Gives all traffic back to the old version, at once. */
  async takeBack(from: Slot, stable: Placed | undefined): Promise<void> {
    if (stable !== undefined) await this.place(stable, FULL_WEIGHT);
    await this.api.ask(`set server ${BACKEND}/${from} state maint`);
    if (stable !== undefined) await this.say(stable.slot, false);
    await this.remember();
  }

  /** Takes a slot out of service after its version has ended. */
  async close(slot: Slot): Promise<void> {
    await this.api.ask(`set server ${BACKEND}/${slot} state maint`);
    await this.remember();
  }

  private async place({ slot, port }: Placed, weight: number): Promise<void> {
    const server = `${BACKEND}/${slot}`;
    await this.api.ask(`set server ${server} addr 127.0.0.1 port ${port}`);
    await this.api.ask(`set server ${server} weight ${weight}`);
    await this.api.ask(`set server ${server} state ready`);
  }

  private async say(stable: Slot, isOnTrial: boolean): Promise<void> {
    await this.api.ask(`set map ${this.map} stable ${stable}`);
    await this.api.ask(`set map ${this.map} trial ${isOnTrial ? 'on' : 'off'}`);
    writeFileSync(this.map, slotsMap(stable, false));
  }

  private async remember(): Promise<void> {
    writeFileSync(join(this.directory, 'servers.state'), await this.api.serversState());
  }
}
