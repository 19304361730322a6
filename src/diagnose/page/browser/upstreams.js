// Upstreams, their timeouts, and late handlers.
import {
  bar,
  draw,
  drawRows,
  el,
  emptyTable,
  matches,
  noteRow,
  notesOf,
  part,
  routeName,
  tableParts,
} from './elements.js';
import { count, duration, moment, verdictInWords } from './words.js';

/** @typedef {import('./types').OriginReport} OriginReport */
/** @typedef {import('./types').TimeoutReport} TimeoutReport */
/** @typedef {import('./types').LateReport} LateReport */
/** @typedef {import('./types').Report} Report */

/** @param {Report} report */
export function drawFindings({ findings, leftOut }) {
  draw('findings', [findings, leftOut.findings], () => [
    ...findings.map((finding) => el('li', {}, finding)),
    ...notesOf([
      findings.length === 0 && 'No timeouts disagree, as far as is known by now.',
      leftOut.findings > 0 && `and at least ${leftOut.findings} more`,
    ]),
  ]);
}

/**
 * @param {Report} report
 * @param {string} wanted
 */
export function drawOrigins({ origins, leftOut }, wanted) {
  const shown = origins.filter(({ origin }) => matches(origin, wanted));
  const empty = origins.length === 0 ? 'No calls to upstreams yet.' : 'None that matches the filter.';
  drawRows('origins', shown, ({ origin }) => origin, originRow, [
    shown.length === 0 && empty,
    leftOut.origins > 0 && `and about ${leftOut.origins} more: the 30 with most faults are shown`,
  ]);
}

/** @param {OriginReport} entry */
function originRow(entry) {
  const { origin, requests, openSockets, verdicts, savedByRetry } = entry;
  const chips = Object.entries(verdicts)
    .sort(([, a], [, b]) => b - a)
    .map(([verdict, times]) =>
      el('li', { class: 'chip' }, [
        el('span', { class: 'mono' }, verdict),
        ` ${verdictInWords(verdict)} × ${times}`,
      ]),
    );
  const known = [
    ...idleWords(entry),
    savedByRetry > 0 && `${count(savedByRetry, 'call was', 'calls were')} saved by a retry`,
  ].filter(Boolean);
  return [
    el('div', { class: 'head' }, [
      el('strong', { class: 'mono' }, origin),
      el(
        'span',
        { class: 'soft' },
        `${count(requests, 'request', 'requests')}, ${count(openSockets, 'socket', 'sockets')} open`,
      ),
    ]),
    resetsOf(entry),
    chips.length > 0 ? el('ul', { class: 'chips', 'aria-label': 'Verdicts' }, chips) : undefined,
    known.length > 0 ? el('p', { class: 'soft' }, known.join('; ')) : undefined,
  ];
}

/** @param {OriginReport} entry */
function resetsOf({ resets: { first, reused, unknown } }) {
  const all = first + reused + unknown;
  const split = [
    first > 0 && `${first} first`,
    reused > 0 && `${reused} reused`,
    unknown > 0 && `${unknown} not known`,
  ].filter(Boolean);
  const words = all === 0 ? 'no resets' : `${count(all, 'reset', 'resets')}: ${split.join(', ')}`;
  const parts = Object.entries({ first, reused, unknown }).filter(([, value]) => value > 0);
  return el('div', { class: 'split' }, [
    bar(parts.map(([kind, value]) => part(kind, value / all))),
    el('span', {}, words),
  ]);
}

/** @param {OriginReport} entry */
function idleWords({ upstreamIdle, poolIdle, cutsAfterMs }) {
  return [
    upstreamIdle && `closes idle sockets after ${duration(upstreamIdle.ms)} (${upstreamIdle.by})`,
    poolIdle && `our pool keeps them ${poolIdle.ms === null ? 'for ever' : duration(poolIdle.ms)}`,
    cutsAfterMs !== undefined && `cuts unanswered requests after ${duration(cutsAfterMs)}`,
  ];
}

/**
 * @param {Report} report
 * @param {string} wanted
 */
export function drawTimeouts({ timeouts, leftOut }, wanted) {
  const shown = timeouts.filter((timeout) => matches(timeout, wanted));
  const left = [
    leftOut.timeouts > 0 && `and at least ${leftOut.timeouts} more`,
    leftOut.servers > 0 &&
      `and those of ${count(leftOut.servers, 'more server', 'more servers')} of a process`,
    leftOut.origins > 0 && 'and those of the upstreams that are not shown',
  ];
  draw('timeouts', [shown, left], () => {
    if (shown.length === 0) return [el('p', { class: 'empty' }, 'None are known yet.')];
    const longest = Math.max(1000, ...shown.map((timeout) => timeout.ms ?? 0));
    const owners = [...new Set(shown.map((timeout) => timeout.owner))];
    return [
      el(
        'div',
        { class: 'timeouts' },
        owners.flatMap((owner) => [
          el('h3', {}, owner),
          el(
            'ul',
            {},
            shown.filter((timeout) => timeout.owner === owner).map((timeout) => timeoutRow(timeout, longest)),
          ),
        ]),
      ),
      el('ul', {}, notesOf(left)),
    ];
  });
}

/**
 * From 10 ms on, a tenfold time is a further step of the same width.
 * @param {TimeoutReport} timeout
 * @param {number} longest
 */
function timeoutRow({ name, ms, by }, longest) {
  const track =
    ms === null ? bar([]) : bar([part('run', Math.log10(Math.max(1, ms / 10)) / Math.log10(longest / 10))]);
  if (ms === null) track.className = 'bar none';
  const value = ms === null ? 'none' : duration(ms);
  return el('li', {}, [
    el('span', {}, name),
    track,
    el('span', { class: 'value' }, by === 'setting' ? value : `${value} (${by})`),
  ]);
}

/**
 * @param {Report} report
 * @param {string} wanted
 */
export function drawLate({ late, leftOut }, wanted) {
  const shown = late.filter((entry) => matches(entry, wanted));
  draw('late', [shown, leftOut.late], () => {
    if (shown.length === 0) return emptyTable('None so far.');
    const head = /** @type {const} */ ([
      ['Route', false],
      ['Times', true],
      ['Called', false],
      ['Latest by', true],
      ['Last', false],
    ]);
    const rows = shown.map(lateRow);
    if (leftOut.late > 0)
      rows.push(
        noteRow(`and ${count(leftOut.late, 'response', 'responses')} on routes that were late longer ago`),
      );
    return tableParts(head, rows);
  });
}

/** @param {LateReport} entry */
function lateRow({ method, route, count: times, call, where, longestMs, lastAt }) {
  return el('tr', {}, [
    el('th', { scope: 'row', class: 'wide' }, routeName(method, route)),
    el('td', { class: 'number' }, String(times)),
    el('td', { class: 'wide' }, [
      el('code', {}, call),
      where === undefined ? undefined : el('div', { class: 'soft mono' }, where),
    ]),
    el('td', { class: 'number' }, duration(longestMs)),
    el('td', {}, moment(lastAt)),
  ]);
}
