// Upstreams, their timeouts, and late handlers.
import { bar, draw, el, emptyTable, matches, part, routeName, tableParts } from './elements.js';
import { count, duration, moment, verdictInWords } from './words.js';

/** @typedef {import('./types').OriginReport} OriginReport */
/** @typedef {import('./types').TimeoutReport} TimeoutReport */
/** @typedef {import('./types').LateReport} LateReport */

/** @param {string[]} findings */
export function drawFindings(findings) {
  draw('findings', findings, () =>
    findings.length === 0
      ? [el('li', { class: 'empty' }, 'No timeouts disagree, as far as is known by now.')]
      : findings.map((finding) => el('li', {}, finding)),
  );
}

/**
 * @param {OriginReport[]} origins
 * @param {string} wanted
 */
export function drawOrigins(origins, wanted) {
  const shown = origins.filter(({ origin }) => matches(origin, wanted));
  const empty = origins.length === 0 ? 'No calls to upstreams yet.' : 'None that matches the filter.';
  draw('origins', shown, () =>
    shown.length === 0 ? [el('li', { class: 'empty' }, empty)] : shown.map(originRow),
  );
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
  return el('li', {}, [
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
  ]);
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
 * @param {TimeoutReport[]} timeouts
 * @param {string} wanted
 */
export function drawTimeouts(timeouts, wanted) {
  const shown = timeouts.filter((timeout) => matches(timeout, wanted));
  draw('timeouts', shown, () => {
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
 * @param {LateReport[]} late
 * @param {string} wanted
 */
export function drawLate(late, wanted) {
  const shown = late.filter((entry) => matches(entry, wanted));
  draw('late', shown, () => {
    if (shown.length === 0) return emptyTable('None so far.');
    const head = /** @type {const} */ ([
      ['Route', false],
      ['Times', true],
      ['Called', false],
      ['Latest by', true],
      ['Last', false],
    ]);
    return tableParts(head, shown.map(lateRow));
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
