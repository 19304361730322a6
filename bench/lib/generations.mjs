import { table } from './report.mjs';
import { turned } from './rounds.mjs';
import { median, quantile } from './statistics.mjs';

// V8 goes on compiling for tens of thousands of calls.
const FULL = { generations: 11, warmUp: 20_000, rounds: 16, amount: 500 };
const QUICK = { generations: 1, warmUp: 50, rounds: 2, amount: 50 };

/**
 * Measures subjects side by side. Two processes that run the same program differ by some per cent, because V8 compiles at
 * different moments. So each subject gets a process in each of several generations; within a generation they take turns in short
 * rounds. A generation gives one ratio for each subject. Told are their median, and between which two of them the true median
 * lies in 95 of 100 cases. The distance from 1 of a subject that is compared to itself is the error of the others.
 *
 * @param {[subject: string, comparedTo?: string][]} subjects
 * @param {{ quick: boolean, start: (subject: string) => Promise<Measured>, plan?: Partial<typeof FULL> }} options `plan`: what
 *   differs from the usual numbers
 * @returns {Promise<string>} a Markdown table
 * @typedef {{ measure: (amount: number) => Promise<number>, stop: () => Promise<void> }} Measured
 *   `measure`: does so many calls (or so many seconds of load), and gives the CPU time of a call, in microseconds
 */
export async function compareInGenerations(subjects, { quick, start, plan: changes }) {
  const plan = { ...(quick ? QUICK : FULL), ...changes };
  const generations = [];
  for (let i = 0; i < plan.generations; i++) {
    generations.push(await measureGeneration(subjects, { ...plan, start, turn: i }));
  }
  const between = '95 of 100 times between';
  const headings = ['CPU time', 'µs', 'more', between, 'times', between, 'compared to'];
  return table(headings, rowsOf(subjects, generations));
}

/**
 * A server to whom a load process (`load-process.mjs`) sends the requests.
 *
 * @param {object} server as `startProcess()` gives it
 * @param {{ call: (command: string, argument: object) => Promise<unknown> }} client the load process
 * @param {object} load what its `run` takes besides the port and the number of requests
 * @returns {Measured}
 */
export function underLoad(server, client, load) {
  const { port } = server;
  return {
    measure: (requests) => server.cpuDuring(() => client.call('run', { port, requests, ...load }), requests),
    async stop() {
      await client.call('close', { port });
      await server.stop();
    },
  };
}

/**
 * The 10th percentile of each subject's rounds: whatever else runs on the machine can only add to a round. The warm-up is made of
 * rounds, too: a process that waits while the others warm up is a twentieth slower afterwards than the one that comes last.
 */
async function measureGeneration(subjects, { start, warmUp, rounds, amount, turn }) {
  const order = turned([...subjects.keys()], turn);
  const processes = [];
  for (const i of order) processes[i] = await start(subjects[i][0]);
  const times = processes.map(() => []);
  const uncounted = Math.ceil(warmUp / amount);
  for (let round = 0; round < uncounted + rounds; round++) {
    for (const i of turned(order, round)) {
      const time = await processes[i].measure(amount);
      if (round >= uncounted) times[i].push(time);
    }
  }
  for (const { stop } of processes) await stop();
  return times.map((each) => quantile(each, 0.1));
}

function rowsOf(subjects, generations) {
  return subjects.map(([subject, comparedTo], i) => {
    const own = generations.map((times) => times[i]);
    const micros = median(own).toFixed(1);
    if (comparedTo === undefined) return [subject, micros, '', '', '', '', ''];
    const base = subjects.findIndex(([name]) => name === comparedTo);
    const more = generations.map((times) => times[i] - times[base]);
    const ratios = generations.map((times) => times[i] / times[base]);
    const label = subject === comparedTo ? 'itself, once more' : comparedTo;
    return [subject, micros, ...withInterval(more, 1), ...withInterval(ratios, 3), label];
  });
}

/** The median, and the two values between which the median of all possible ones lies, by the binomial distribution. */
function withInterval(values, digits) {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(0, Math.floor(sorted.length / 2 - 0.98 * Math.sqrt(sorted.length)));
  const ends = [sorted[rank], sorted[sorted.length - 1 - rank]];
  return [median(values).toFixed(digits), ends.map((end) => end.toFixed(digits)).join(' and ')];
}
