/** The recent faults. */
export const SCRIPT_FAULTS = String.raw`
const DONE = { answered: 'answered', broken: 'response broken off', discarded: 'nobody was there to answer' };

/** The same trouble again and again is one row with a count: the latest of them is shown. */
function grouped(faults) {
  const groups = new Map();
  for (const fault of faults) {
    const { origin, verdict, trigger, advice } = fault.upstream || {};
    const key = [fault.code, fault.status, fault.method, fault.route, fault.outcome, origin, verdict, trigger, !advice].join(' ');
    const group = groups.get(key);
    if (group) group.times++;
    else groups.set(key, { fault, times: 1 });
  }
  return [...groups.values()];
}

function drawFaults(faults) {
  draw('faults', faults, () =>
    faults.length === 0 ? [el('li', { class: 'empty' }, 'None so far.')] : grouped(faults).map(faultRow),
  );
}

function faultRow({ fault, times }) {
  const upstream = fault.upstream || {};
  const isAnswered = fault.status !== undefined;
  return el('li', {}, [
    el('div', { class: 'head' }, [
      el('time', { datetime: new Date(fault.at).toISOString() }, clock(fault.at)),
      el('span', { class: isAnswered && fault.status >= 500 ? 'code bad' : 'code' }, [
        (isAnswered ? fault.status + ' ' : '') + (fault.code || 'unknown error'),
      ]),
      fault.method === undefined ? undefined : el('span', {}, routeName(fault.method, fault.route)),
      upstream.origin === undefined ? undefined : el('span', { class: 'mono' }, upstream.origin),
      upstream.verdict === undefined
        ? undefined
        : el('span', { class: 'chip' }, [
            el('span', { class: 'mono' }, upstream.verdict),
            ' ' + verdictInWords(upstream.verdict),
          ]),
      times === 1 ? undefined : el('span', { class: 'times' }, '× ' + times),
    ]),
    el('p', { class: 'facts' }, factsOf(fault, upstream).join(' · ')),
    upstream.advice === undefined ? undefined : el('p', { class: 'advice' }, upstream.advice),
  ]);
}

function factsOf(fault, upstream) {
  return [
    upstream.trigger && 'trigger: ' + upstream.trigger,
    upstream.reusedSocket === true && upstream.idleMs !== undefined && 'socket idle for ' + duration(upstream.idleMs),
    upstream.requestsOnSocket > 1 && 'request ' + upstream.requestsOnSocket + ' on the socket',
    upstream.attempt > 1 && 'attempt ' + upstream.attempt,
    fault.ms !== undefined && duration(fault.ms) + ' after the request had arrived',
    fault.outcome === undefined ? 'not seen by gatewayErrorHandler()' : DONE[fault.outcome],
  ].filter(Boolean);
}
`;
