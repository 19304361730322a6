// The routes, and the requests that are being served.
import {
  arrange,
  bar,
  byId,
  draw,
  el,
  emptyTable,
  matches,
  noteRow,
  notesOf,
  part,
  routeName,
  tableParts,
} from './elements.js';
import { count, duration } from './words.js';

/** @typedef {import('./types').RouteReport} RouteReport */
/** @typedef {import('./types').Report} Report */
/** @typedef {import('./types').LiveRequest} LiveRequest */
/** @typedef {import('./types').Percentiles} Percentiles */

const ROUTES_SHOWN = 50;

/**
 * @param {RouteReport[]} routes
 * @param {string} wanted
 */
export function drawRoutes(routes, wanted) {
  const found = routes.filter(({ method, route }) => matches([method, route], wanted));
  const shown = found.slice(0, ROUTES_SHOWN);
  const hidden = found.length - shown.length;
  draw('routes', [shown, hidden], () => {
    if (shown.length === 0)
      return emptyTable(routes.length === 0 ? 'No request is over yet.' : 'None that matches the filter.');
    const head = /** @type {const} */ ([
      ['Route', false],
      ['Requests', true],
      ['502', true],
      ['504', true],
      ['Other 5xx', true],
      ['Client left', true],
      ['Took p50', true],
      ['p95', true, 'Took p95'],
      ['Time left p50', true],
      ['p5', true, 'Time left p5'],
    ]);
    const rows = shown.map(routeRow);
    if (hidden > 0) rows.push(noteRow(`and ${hidden} more: the filter finds them`));
    return tableParts(head, rows);
  });
}

/** @param {RouteReport} entry */
function routeRow({ method, route, requests, outcomes, tookMs, leftMs }) {
  const number = (/** @type {number} */ value, isBad = false) =>
    el('td', { class: isBad && value > 0 ? 'number bad' : 'number' }, String(value));
  const time = (/** @type {number | undefined} */ ms) =>
    el('td', { class: 'number' }, ms === undefined ? '–' : duration(ms));
  return el('tr', {}, [
    el('th', { scope: 'row', class: 'wide' }, routeName(method, route)),
    number(requests),
    number(outcomes.badGateway, true),
    number(outcomes.timeout, true),
    number(outcomes.error + outcomes.unavailable + outcomes.broken, true),
    number(outcomes.clientClosed),
    time(tookMs?.p50),
    time(tookMs?.p95),
    time(leftMs?.p50),
    time(leftMs?.p5),
  ]);
}

/** @type {Map<LiveRequest['id'], { element: HTMLElement, update: (request: LiveRequest) => void }>} */
const liveRows = new Map();

/**
 * The rows stay the same elements from report to report, so that their bars run on instead of starting anew.
 * @param {Report} report
 * @param {string} wanted
 */
export function drawLive({ live, leftOut: { requests } }, wanted) {
  byId('live-count').textContent = String(live.count);
  const list = byId('live');
  const shown = live.requests.filter(({ method, route }) => matches([method, route], wanted));
  const rows = shown.map((request) => {
    const row = liveRows.get(request.id) ?? newLiveRow(request.id);
    row.update(request);
    return row.element;
  });
  const ids = new Set(shown.map((request) => request.id));
  for (const id of liveRows.keys()) if (!ids.has(id)) liveRows.delete(id);
  const hidden = live.count - shown.length;
  rows.push(
    ...notesOf([
      live.count === 0 && 'Nothing is under way.',
      hidden > 0 && `and ${hidden} more`,
      requests > 0 &&
        `${count(requests, 'request', 'requests')} came while 10,000 others were in flight: no number on this page counts them`,
    ]),
  );
  arrange(list, rows);
}

/** @param {LiveRequest['id']} id */
function newLiveRow(id) {
  const name = el('span');
  const track = bar([]);
  const time = el('span', { class: 'time' });
  const element = el('li', {}, [name, track, time]);
  const fill = part('run', 0);
  const update = (/** @type {LiveRequest} */ request) => {
    name.replaceChildren(...routeName(request.method, request.route));
    const { deadlineMs, ageMs, isAnswering } = request;
    const share = deadlineMs === null || isAnswering ? undefined : ageMs / deadlineMs;
    if (share === undefined) fill.remove();
    else if (!fill.isConnected) track.append(fill);
    fill.className = kindOf(share ?? 0);
    fill.style.width = `${(Math.min(1, share ?? 0) * 100).toFixed(2)}%`;
    track.className = share === undefined ? 'bar none' : 'bar';
    time.textContent = duration(ageMs) + goalOf(request);
  };
  const row = { element, update };
  liveRows.set(id, row);
  return row;
}

/** @param {number} share */
function kindOf(share) {
  if (share > 0.9) return 'last';
  return share > 0.7 ? 'soon' : 'run';
}

/** @param {LiveRequest} request */
function goalOf({ isAnswering, deadlineMs }) {
  if (isAnswering) return ', answering';
  return deadlineMs === null ? ', no deadline' : ` of ${duration(deadlineMs)}`;
}
