// Five clients ask for the same slow report, and leave: what PostgreSQL does then.
import { findPostgres, HOW_TO_GET_IT } from '../database/find-postgres.mjs';
import { startProcess } from '../processes/start-process.mjs';

const FILE = new URL('../database/reports.mjs', import.meta.url);
const CLIENTS = 5;
const POOLS = ['abortable', 'plain'];
/** Longer than the report takes. */
const WATCH_MS = 15_000;

/** The process with the reports and their PostgreSQL. It is started when it is first needed. */
export class Reports {
  #starting;
  #leftAt;
  isBusy = false;

  /** The line that brings what is missing; undefined where nothing is. */
  get howToGetIt() {
    return findPostgres() ? undefined : HOW_TO_GET_IT;
  }

  /** How long ago the clients left, while some query of theirs may run; undefined before and after. */
  get leftMs() {
    return this.#leftAt && Math.round(performance.now() - this.#leftAt);
  }

  /** What PostgreSQL is doing: one `{ pool, pid, ms }` for each report that runs. */
  async activity() {
    if (this.#starting === undefined) return [];
    const { url } = await this.#starting;
    return (await fetch(`${url}/activity`)).json();
  }

  /**
   * Five clients for each pool ask, and leave when all of their queries run. Resolves when PostgreSQL has ended the last one:
   * to how long after their leaving that was, by pool, in ms.
   */
  async fiveLeave() {
    this.isBusy = true;
    try {
      return await this.#askAndLeave(await this.#start());
    } finally {
      this.isBusy = false;
      this.#leftAt = undefined;
    }
  }

  #start() {
    this.#starting ??= startProcess(FILE);
    // Another press may try again.
    this.#starting.catch(() => (this.#starting = undefined));
    return this.#starting;
  }

  async #askAndLeave({ url }) {
    const leaving = new AbortController();
    const requests = POOLS.flatMap((pool) =>
      Array.from({ length: CLIENTS }, () => fetch(`${url}/${pool}/report`, { signal: leaving.signal })),
    );
    const gone = Promise.allSettled(requests);
    await this.#until((rows) => rows.length === CLIENTS * POOLS.length);
    this.#leftAt = performance.now();
    leaving.abort();
    await gone;
    const ends = POOLS.map(async (pool) => {
      await this.#until((rows) => rows.every((row) => row.pool !== pool));
      return [pool, this.leftMs];
    });
    return { clients: CLIENTS, endedMs: Object.fromEntries(await Promise.all(ends)) };
  }

  /** Asks PostgreSQL until its answer fits. */
  async #until(isSo) {
    const end = performance.now() + WATCH_MS;
    while (!isSo(await this.activity()))
      if (performance.now() > end) throw new Error('PostgreSQL has not come to that in 15 s.');
  }
}
