import { median, quantile } from './statistics.mjs';

/**
 * CPU time per request of several servers, in alternating rounds: each round measures every server once, in an order that
 * turns from round to round, so that whatever else the machine does falls upon all of them alike.
 *
 * @param {object} plan
 * @param {Record<string, { port: number, cpuDuring: Function }>} plan.servers by name, as `startProcess()` gives them
 * @param {{ call: (command: string, argument: object) => Promise<unknown> }} plan.load the load process
 * @param {number} plan.rounds how many rounds count
 * @param {number} plan.warmUp how many requests each server gets before
 * @param {number} plan.requests how many requests a round has for each server
 * @param {number} plan.connections over how many keep-alive connections
 * @param {string} plan.request the request's bytes
 * @returns {Promise<Record<string, number[]>>} microseconds per request, one figure for each round
 */
export async function measureRounds({ servers, load, rounds, warmUp, requests, connections, request }) {
  const names = Object.keys(servers);
  const measured = Object.fromEntries(names.map((name) => [name, []]));
  const send = (name, count) =>
    load.call('run', { port: servers[name].port, requests: count, connections, request });

  for (const name of names) await send(name, warmUp);
  for (let round = 0; round < rounds; round++) {
    for (const name of turned(names, round)) {
      measured[name].push(await servers[name].cpuDuring(() => send(name, requests), requests));
    }
  }
  for (const name of names) await load.call('close', { port: servers[name].port });
  return measured;
}

/** Each name comes first equally often, and forwards and backwards alternate, so that neighbours change too. */
export function turned(names, round) {
  const start = Math.floor(round / 2) % names.length;
  const order = [...names.slice(start), ...names.slice(0, start)];
  return round % 2 === 0 ? order : order.reverse();
}

/**
 * What each server costs, over several sets of rounds, in comparison with `base`.
 *
 * `micros` is the 10th percentile of all rounds: what else runs on a machine can only ever add to a round, and a tenth of
 * many short rounds is left in peace. `pairedRatio` is the median of each round's own ratio, and needs a quiet machine.
 *
 * @param {Record<string, number[]>[]} sets as `measureRounds()` gives them
 * @param {string} base the name of the server to compare with
 */
export function summarize(sets, base) {
  const lowest = (name) =>
    quantile(
      sets.flatMap((measured) => measured[name]),
      0.1,
    );
  return Object.fromEntries(
    Object.keys(sets[0]).map((name) => {
      const [micros, baseMicros] = [lowest(name), lowest(base)];
      const pairs = sets.flatMap((measured) =>
        measured[name].map((value, round) => value / measured[base][round]),
      );
      return [
        name,
        { micros, extra: micros - baseMicros, ratio: micros / baseMicros, pairedRatio: median(pairs) },
      ];
    }),
  );
}
