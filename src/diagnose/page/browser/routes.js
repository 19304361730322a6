// The routes, and the requests that are being served.
import { bar, byId, draw, el, emptyTable, matches, part, routeName, tableParts } from './elements.js';
import { duration } from './words.js';

/** @typedef {import('./types').RouteReport} RouteReport */
/** @typedef {import('./types').LiveReport} LiveReport */
/** @typedef {import('./types').LiveRequest} LiveRequest */
/** @typedef {import('./types').Percentiles} Percentiles */

const ROUTES_SHOWN = 50;

/**
 * @param {RouteReport[]} routes
 * @param {string} wanted
 */
export function drawRoutes(routes, wanted) {
  const shown = routes.filter(({ method, route }) => matches([method, route], wanted));
  draw('routes', shown, () => {
    if (shown.length === 0)
      return emptyTable(routes.length === 0 ? 'No request is over yet.' : 'None that matches the filter.');
    const emptyRow = { class: 'empty', colspan: '10' };
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
    const rows = shown.slice(0, ROUTES_SHOWN).map(routeRow);
    const hidden = shown.length - rows.length;
    if (hidden > 0)
      rows.push(el('tr', {}, [el('td', emptyRow, `and ${hidden} more: the filter finds them`)]));
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
 * @param {LiveReport} live
 * @param {string} wanted
 */
export function drawLive(live, wanted) {
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
  if (live.count === 0) rows.push(el('li', { class: 'empty' }, 'Nothing is under way.'));
  else if (hidden > 0) rows.push(el('li', { class: 'empty' }, `and ${hidden} more`));
  const isSame = rows.length === list.children.length && rows.every((row, at) => row === list.children[at]);
  if (!isSame) list.replaceChildren(...rows);
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
