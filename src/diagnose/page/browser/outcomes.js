// What became of the requests, over time.
import { draw, el, svg, tableParts } from './elements.js';
import { duration } from './words.js';

/** @typedef {import('./types').OutcomeHistory} OutcomeHistory */
/** @typedef {import('./types').OutcomeCounts} OutcomeCounts */
/** @typedef {import('./types').RequestOutcome} RequestOutcome */
/** @typedef {import('./types').Report} Report */
/** @typedef {readonly (readonly [RequestOutcome, string])[]} Kinds */

/** @type {Kinds} */
const OUTCOMES = [
  ['ok', 'answered'],
  ['refused', '4xx'],
  ['error', '5xx of the app'],
  ['badGateway', '502'],
  ['unavailable', '503'],
  ['timeout', '504'],
  ['clientClosed', 'client left'],
  ['broken', 'broken off'],
];

/** Faults are few: on the scale of what was answered they would not be seen. They have a chart of their own. */
const ANSWERED = OUTCOMES.slice(0, 2);
const FAULTS = OUTCOMES.slice(2);

/** How many rows the table has. */
const ROWS = 12;

/** @param {Report} report */
export function drawTiles({ live, outcomes, late, faultGroups, leftOut }) {
  const sum = (/** @type {RequestOutcome} */ name) => sumOf(outcomes, name);
  const lateCount = late.reduce((all, entry) => all + entry.count, leftOut.late);
  const faults = faultGroups.reduce((all, group) => all + group.count, leftOut.faults);
  const tiles = /** @type {const} */ ([
    ['In flight', live.count, false],
    ['Answered, 5 min', sum('ok') + sum('refused'), false],
    ['502 bad gateway', sum('badGateway'), true],
    ['504 timeout', sum('timeout'), true],
    ['Clients left', sum('clientClosed'), false],
    ['Late handlers', lateCount, true],
    ['Faults in all', faults, true],
  ]);
  draw('tiles', tiles, () =>
    tiles.map(([name, value, isBad]) =>
      el('div', { class: isBad && value > 0 ? 'tile bad' : 'tile' }, [
        el('dt', {}, name),
        el('dd', {}, String(value)),
      ]),
    ),
  );
}

/** @param {OutcomeHistory} history */
export function drawOutcomes(history) {
  draw('chart', history, () => [
    chartOf(history, ANSWERED, 'Answered requests'),
    axisOf(history, ANSWERED, 'answered'),
    chartOf(history, FAULTS, 'Faults'),
    axisOf(history, FAULTS, 'faults'),
  ]);
  const sums = OUTCOMES.map(([name]) => sumOf(history, name));
  draw('legend', sums, () =>
    OUTCOMES.map(([name, label], at) =>
      el('li', {}, [el('i', { class: `swatch ${name}`, 'aria-hidden': 'true' }), `${label} ${sums[at]}`]),
    ),
  );
  draw('outcomes', history, () => tableOf(history));
}

/**
 * @param {Pick<OutcomeHistory, 'buckets'>} history
 * @param {RequestOutcome} name
 */
function sumOf({ buckets }, name) {
  return buckets.reduce((all, bucket) => all + bucket[name], 0);
}

/**
 * @param {OutcomeCounts[]} buckets
 * @param {Kinds} kinds
 */
function highestOf(buckets, kinds) {
  return Math.max(0, ...buckets.map((bucket) => kinds.reduce((all, [name]) => all + bucket[name], 0)));
}

/**
 * @param {OutcomeHistory} history
 * @param {Kinds} kinds
 * @param {string} label
 */
function chartOf({ buckets }, kinds, label) {
  const highest = highestOf(buckets, kinds);
  const bars = buckets.flatMap((bucket, at) => {
    let below = 100;
    return kinds
      .filter(([name]) => bucket[name] > 0)
      .map(([name]) => {
        const height = (bucket[name] / highest) * 100;
        below -= height;
        return svg('rect', { class: name, x: at * 10 + 1, width: 8, y: below, height });
      });
  });
  const base = svg('line', { x1: 0, x2: buckets.length * 10, y1: 100, y2: 100 });
  const title = `${label} over time, at most ${highest} in a bar; the numbers are in the table below.`;
  return svg(
    'svg',
    {
      viewBox: `0 0 ${buckets.length * 10} 100`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': title,
    },
    [base, ...bars],
  );
}

/**
 * @param {OutcomeHistory} history
 * @param {Kinds} kinds
 * @param {string} label
 */
function axisOf({ buckets, bucketMs }, kinds, label) {
  const words = `${label}, highest bar: ${highestOf(buckets, kinds)} in ${duration(bucketMs)}`;
  return el('div', { class: 'axis', 'aria-hidden': 'true' }, [
    el('span', {}, `${duration(buckets.length * bucketMs)} ago`),
    el('span', {}, words),
    el('span', {}, 'now'),
  ]);
}

/**
 * In a dozen rows: sixty are more than anybody wants to hear.
 * @param {OutcomeHistory} history
 */
function tableOf({ buckets, bucketMs }) {
  const perRow = Math.ceil(buckets.length / ROWS);
  const head = /** @type {const} */ ([
    ['Ago', false],
    ...OUTCOMES.map(([, label]) => /** @type {const} */ ([label, true])),
  ]);
  const rows = [];
  for (let end = buckets.length; end > 0; end -= perRow) {
    const stretch = { buckets: buckets.slice(Math.max(0, end - perRow), end) };
    const agoMs = (buckets.length - end) * bucketMs;
    rows.push(
      el('tr', {}, [
        el('th', { scope: 'row' }, `${duration(agoMs)} to ${duration(agoMs + perRow * bucketMs)}`),
        ...OUTCOMES.map(([name]) => el('td', { class: 'number' }, String(sumOf(stretch, name)))),
      ]),
    );
  }
  return tableParts(head, rows);
}
