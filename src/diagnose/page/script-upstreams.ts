/** Upstreams, their timeouts, late handlers, findings and faults. */
export const SCRIPT_UPSTREAMS = String.raw`
const WHO = { U: 'upstream', u: 'upstream too slow', N: 'network', d: 'deadline', P: 'this process', C: 'client left', '-': 'unknown' };
const WHEN = { Q: 'queued', N: 'name lookup', C: 'connecting', T: 'TLS', S: 'sending', W: 'waiting', B: 'in the body', '-': '' };
const SOCKET = { 1: 'first request', r: 'reused socket', '-': '' };

/** A verdict in words: 'UWr' is "upstream, waiting, reused socket". */
function verdictInWords(verdict) {
  return [WHO[verdict[0]], WHEN[verdict[1]], SOCKET[verdict[2]]].filter(Boolean).join(', ');
}

function drawFindings(findings) {
  draw('findings', findings, () =>
    findings.length === 0
      ? [el('li', { class: 'empty' }, 'No timeouts disagree, as far as is known by now.')]
      : findings.map((finding) => el('li', {}, finding)),
  );
}

function drawOrigins(origins) {
  draw('origins', origins, () =>
    origins.length === 0 ? [el('li', { class: 'empty' }, 'No calls to upstreams yet.')] : origins.map(originRow),
  );
}

function originRow(origin) {
  const { first, reused, unknown } = origin.resets;
  const all = first + reused + unknown;
  const resets =
    all === 0
      ? 'no resets'
      : count(all, 'reset', 'resets') + ': ' + [
          first && first + ' first',
          reused && reused + ' reused',
          unknown && unknown + ' not known',
        ].filter(Boolean).join(', ');
  const parts = [['first', first], ['reused', reused], ['unknown', unknown]].filter(([, value]) => value > 0);
  const chips = Object.keys(origin.verdicts)
    .sort((a, b) => origin.verdicts[b] - origin.verdicts[a])
    .map((verdict) =>
      el('li', { class: 'chip' }, [
        el('span', { class: 'mono' }, verdict),
        ' ' + verdictInWords(verdict) + ' × ' + origin.verdicts[verdict],
      ]),
    );
  const idle = [
    origin.upstreamIdle && 'closes idle sockets after ' + duration(origin.upstreamIdle.ms) + ' (' + origin.upstreamIdle.by + ')',
    origin.poolIdle && 'our pool keeps them ' + (origin.poolIdle.ms === null ? 'for ever' : duration(origin.poolIdle.ms)),
    origin.cutsAfterMs && 'cuts unanswered requests after ' + duration(origin.cutsAfterMs),
  ].filter(Boolean);
  return el('li', {}, [
    el('div', { class: 'head' }, [
      el('strong', { class: 'mono' }, origin.origin),
      el('span', { class: 'soft' }, count(origin.requests, 'request', 'requests') + ', ' + count(origin.openSockets, 'socket', 'sockets') + ' open'),
    ]),
    el('div', { class: 'split' }, [bar(parts.map(([kind, value]) => part(kind, value / all))), el('span', {}, resets)]),
    chips.length > 0 ? el('ul', { class: 'chips', 'aria-label': 'Verdicts' }, chips) : undefined,
    idle.length > 0 ? el('p', { class: 'soft' }, idle.join('; ')) : undefined,
  ]);
}

function drawTimeouts(timeouts) {
  draw('timeouts', timeouts, () => {
    if (timeouts.length === 0) return [el('p', { class: 'empty' }, 'None are known yet.')];
    const longest = Math.max(1000, ...timeouts.map((timeout) => timeout.ms || 0));
    const owners = [...new Set(timeouts.map((timeout) => timeout.owner))];
    return [
      el('div', { class: 'timeouts' }, owners.flatMap((owner) => [
        el('h3', {}, owner),
        el('ul', {}, timeouts.filter((timeout) => timeout.owner === owner).map((timeout) => timeoutRow(timeout, longest))),
      ])),
    ];
  });
}

/** From 10 ms on, a tenfold time is a further step of the same width. */
function timeoutRow(timeout, longest) {
  const share = timeout.ms === null ? 1 : Math.log10(Math.max(1, timeout.ms / 10)) / Math.log10(longest / 10);
  const track = bar(timeout.ms === null ? [] : [part('run', share)]);
  if (timeout.ms === null) track.className = 'bar none';
  const value = timeout.ms === null ? 'none' : duration(timeout.ms);
  return el('li', {}, [
    el('span', {}, timeout.name),
    track,
    el('span', { class: 'value' }, timeout.by === 'setting' ? value : value + ' (' + timeout.by + ')'),
  ]);
}

function drawLate(late) {
  draw('late', late, () => {
    if (late.length === 0) return [el('tbody', {}, [el('tr', {}, [el('td', { class: 'empty' }, 'None so far.')])])];
    const head = ['Route', 'Times', 'Called', 'Latest by', 'Last'].map((name, at) =>
      el('th', { scope: 'col', class: at === 1 || at === 3 ? 'number' : '' }, name),
    );
    const rows = late.map((entry) =>
      el('tr', {}, [
        el('th', { scope: 'row' }, routeName(entry.method, entry.route)),
        el('td', { class: 'number' }, String(entry.count)),
        el('td', {}, [el('code', {}, entry.call), entry.where ? el('div', { class: 'soft mono' }, entry.where) : undefined]),
        el('td', { class: 'number' }, duration(entry.longestMs)),
        el('td', {}, clock(entry.lastAt)),
      ]),
    );
    return [el('thead', {}, [el('tr', {}, head)]), el('tbody', {}, rows)];
  });
}
`;
