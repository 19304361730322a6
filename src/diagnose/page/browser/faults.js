// The faults, by kind.
import { drawRows, el, matches, routeName } from './elements.js';
import { count as inWords, duration, moment, verdictInWords } from './words.js';

/** @typedef {import('./types').FaultGroup} FaultGroup */
/** @typedef {import('./types').FaultReport} FaultReport */
/** @typedef {import('./types').Report} Report */
/** @typedef {import('./types').UpstreamInfo} UpstreamInfo */

/** @type {Record<string, string>} */
const DONE = {
  answered: 'answered',
  broken: 'response broken off',
  discarded: 'nobody was there to answer',
};

/**
 * @param {Report} report
 * @param {string} wanted
 */
export function drawFaults({ faultGroups: groups, leftOut: { faults } }, wanted) {
  const shown = groups.filter((group) => matches(group, wanted));
  const empty = groups.length === 0 ? 'None so far.' : 'None that matches the filter.';
  drawRows('faults', shown, keyOf, faultRow, [
    shown.length === 0 && empty,
    faults > 0 &&
      `and ${inWords(faults, 'fault', 'faults')} of kinds that had to make room: the 200 kinds that were seen last are kept`,
  ]);
}

/** @param {FaultGroup} group */
function keyOf({ last: { code, status, method, route, outcome, upstream } }) {
  const { origin, verdict, trigger, where } = upstream ?? {};
  return [code, status, method, route, outcome, origin, verdict, trigger, where];
}

/** @param {FaultGroup} group */
function faultRow({ count, firstAt, lastAt, last }) {
  const { upstream } = last;
  return [
    el('div', { class: 'head' }, [
      codeOf(last),
      last.method === undefined ? undefined : el('span', {}, routeName(last.method, last.route)),
      upstream && el('span', { class: 'mono' }, upstream.origin),
      upstream?.verdict === undefined ? undefined : chipOf(upstream.verdict),
      el('span', { class: 'times' }, `× ${count}`),
    ]),
    el('p', { class: 'when' }, whenOf(count, firstAt, lastAt)),
    upstream?.where &&
      el('p', { class: 'where' }, [
        'called at ',
        el('code', {}, `${upstream.where.file}:${upstream.where.line}:${upstream.where.column}`),
      ]),
    el('p', { class: 'facts' }, factsOf(last, upstream).join(' · ')),
    upstream?.advice === undefined ? undefined : adviceOf(upstream),
  ];
}

/** @param {FaultReport} fault */
function codeOf({ status, code }) {
  const words = [status, code ?? 'unknown error'].filter((part) => part !== undefined).join(' ');
  const isBad = status !== undefined && status >= 500;
  const label = el('span', { class: isBad ? 'code bad' : 'code' }, words);
  if (code === undefined || !/^[A-Z_]{1,40}$/.test(code)) return label;
  const title = `What ${code} means`;
  return el('a', { class: 'code-link', href: `errors/${code}`, title }, [label]);
}

/** @param {string} verdict */
function chipOf(verdict) {
  return el('span', { class: 'chip' }, [
    el('span', { class: 'mono' }, verdict),
    ` ${verdictInWords(verdict)}`,
  ]);
}

/**
 * @param {number} count
 * @param {number} firstAt
 * @param {number} lastAt
 */
function whenOf(count, firstAt, lastAt) {
  const time = (/** @type {number} */ at) => el('time', { datetime: new Date(at).toISOString() }, moment(at));
  if (count === 1) return ['at ', time(lastAt)];
  return ['last ', time(lastAt), ', first ', time(firstAt)];
}

/** @param {UpstreamInfo} upstream */
function adviceOf({ advice, evidence }) {
  return el('div', { class: 'advice' }, [
    el('p', {}, advice),
    evidence === undefined ? undefined : el('p', { class: 'evidence' }, `Evidence: ${evidence}`),
  ]);
}

/**
 * @param {FaultReport} fault
 * @param {Partial<UpstreamInfo>} [upstream]
 */
function factsOf(fault, upstream = {}) {
  const { trigger, reusedSocket, idleMs, requestsOnSocket = 0, attempt = 0 } = upstream;
  const { ids, attempts, ms, outcome } = fault;
  return [
    trigger && `trigger: ${trigger}`,
    reusedSocket === true && idleMs !== undefined && `socket idle for ${duration(idleMs)}`,
    requestsOnSocket > 1 && `request ${requestsOnSocket} on the socket`,
    attempt > 1 && `attempt ${attempt}`,
    attempts > 1 && `tried ${attempts} times`,
    ms !== undefined && `${duration(ms)} after the request had arrived`,
    outcome === undefined ? 'not seen by gatewayErrorHandler()' : DONE[outcome],
    ids.traceId && `trace ${ids.traceId}`,
    ids.requestId && `request ${ids.requestId}`,
  ].filter(Boolean);
}
