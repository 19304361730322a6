/** Requests in flight, and what became of the others. */
export const SCRIPT_REQUESTS = String.raw`
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

function drawTiles(report) {
  const sum = (name) => report.outcomes.buckets.reduce((all, bucket) => all + bucket[name], 0);
  const late = report.late.reduce((all, entry) => all + entry.count, 0);
  const tiles = [
    ['In flight', report.live.count, false],
    ['Answered, 5 min', sum('ok') + sum('refused'), false],
    ['502 bad gateway', sum('badGateway'), true],
    ['504 timeout', sum('timeout'), true],
    ['Clients left', sum('clientClosed'), false],
    ['Late handlers', late, true],
  ];
  draw('tiles', tiles, () =>
    tiles.map(([name, value, isBad]) =>
      el('div', { class: isBad && value > 0 ? 'tile bad' : 'tile' }, [el('dt', {}, name), el('dd', {}, String(value))]),
    ),
  );
}

/** The rows stay the same elements from report to report, so that their bars run on instead of starting anew. */
const liveRows = new Map();

function drawLive(live) {
  byId('live-count').textContent = String(live.count);
  const list = byId('live');
  const rows = live.requests.map((request) => {
    const row = liveRows.get(request.id) || newLiveRow(request.id);
    row.update(request);
    return row.element;
  });
  const ids = new Set(live.requests.map((request) => request.id));
  for (const id of liveRows.keys()) if (!ids.has(id)) liveRows.delete(id);
  const hidden = live.count - live.requests.length;
  if (rows.length === 0) rows.push(el('li', { class: 'empty' }, 'Nothing is under way.'));
  if (hidden > 0) rows.push(el('li', { class: 'empty' }, 'and ' + hidden + ' more'));
  const same = rows.length === list.children.length && rows.every((row, at) => row === list.children[at]);
  if (!same) list.replaceChildren(...rows);
}

function newLiveRow(id) {
  const name = el('span');
  const track = bar([]);
  const time = el('span', { class: 'time' });
  const element = el('li', {}, [name, track, time]);
  let fill;
  const update = (request) => {
    name.replaceChildren(...routeName(request.method, request.route));
    const limit = request.deadlineMs;
    const isRunning = limit !== null && !request.isAnswering;
    const share = isRunning ? request.ageMs / limit : 0;
    const kind = share > 0.9 ? 'last' : share > 0.7 ? 'soon' : 'run';
    if (!fill && isRunning) track.append((fill = part(kind, share)));
    if (fill) {
      fill.className = kind;
      fill.style.width = isRunning ? (Math.min(1, share) * 100).toFixed(2) + '%' : '0';
    }
    track.className = isRunning ? 'bar' : 'bar none';
    const goal = request.isAnswering ? ', answering' : limit === null ? ', no deadline' : ' of ' + duration(limit);
    time.textContent = duration(request.ageMs) + goal;
  };
  const row = { element, update };
  liveRows.set(id, row);
  return row;
}

/** Faults are few: on the scale of what was answered they would not be seen. They have a chart of their own. */
const FAULTS = OUTCOMES.slice(2);

function drawOutcomes(outcomes) {
  draw('chart', outcomes.buckets, () => [
    chartOf(outcomes, OUTCOMES.slice(0, 2), 'Answered requests'),
    axisOf(outcomes, OUTCOMES.slice(0, 2), 'answered'),
    chartOf(outcomes, FAULTS, 'Faults'),
    axisOf(outcomes, FAULTS, 'faults'),
  ]);
  const sums = OUTCOMES.map(([name]) => outcomes.buckets.reduce((all, bucket) => all + bucket[name], 0));
  draw('legend', sums, () =>
    OUTCOMES.map(([name, label], at) =>
      el('li', {}, [el('i', { class: 'swatch ' + name, 'aria-hidden': 'true' }), label + ' ' + sums[at]]),
    ),
  );
  draw('outcomes', outcomes, () => tableOf(outcomes));
}

function highestOf(buckets, kinds) {
  return Math.max(0, ...buckets.map((bucket) => kinds.reduce((all, [name]) => all + bucket[name], 0)));
}

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
  return svg(
    'svg',
    {
      viewBox: '0 0 ' + buckets.length * 10 + ' 100',
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': label + ' over time, at most ' + highest + ' in a bar; the numbers are in the table below.',
    },
    [base, ...bars],
  );
}

function axisOf({ buckets, bucketMs }, kinds, label) {
  const words = label + ', highest bar: ' + highestOf(buckets, kinds) + ' in ' + duration(bucketMs);
  return el('div', { class: 'axis', 'aria-hidden': 'true' }, [
    el('span', {}, duration(buckets.length * bucketMs) + ' ago'),
    el('span', {}, words),
    el('span', {}, 'now'),
  ]);
}

/** By the minute: sixty rows are more than anybody wants to hear. */
function tableOf({ buckets, bucketMs }) {
  const perMinute = Math.round(60000 / bucketMs);
  const head = el('tr', {}, [
    el('th', { scope: 'col' }, 'Minutes ago'),
    ...OUTCOMES.map(([, label]) => el('th', { scope: 'col', class: 'number' }, label)),
  ]);
  const rows = [];
  for (let end = buckets.length; end > 0; end -= perMinute) {
    const minute = buckets.slice(Math.max(0, end - perMinute), end);
    const ago = (buckets.length - end) / perMinute;
    rows.push(
      el('tr', {}, [
        el('th', { scope: 'row' }, ago + ' to ' + (ago + 1)),
        ...OUTCOMES.map(([name]) =>
          el('td', { class: 'number' }, String(minute.reduce((all, bucket) => all + bucket[name], 0))),
        ),
      ]),
    );
  }
  return [el('thead', {}, [head]), el('tbody', {}, rows)];
}
`;
