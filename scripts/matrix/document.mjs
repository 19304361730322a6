// Writes the results as docs/fault-matrix.md.
const CLIENTS = [
  ...['stays', 'leaves-fin', 'leaves-rst', 'leaves-in-response', 'leaves-in-request'],
  ...['two-at-once', 'one-after-another'],
];

const count = (cells, verdict) => cells.filter((cell) => cell.verdict === verdict).length;

export function matrixDocument(results, { deadline }) {
  const ours = results.filter((result) => result.ours);
  const peers = results.filter((result) => !result.ours);
  return [
    intro(deadline),
    '## This package',
    oursTable(ours),
    '## Its peers',
    peersTable(peers),
    ...peers.map(detail),
  ]
    .join('\n\n')
    .concat('\n');
}

/** The subjects of ours that are missing in a document, or have a wrong cell in it. */
export function missingFrom(document, subjects) {
  const rows = document.split('\n').filter((line) => /^\| .*( \| 0 of \d+)+ \|$/.test(line));
  return subjects
    .filter(({ ours }) => ours)
    .map(({ name }) => name)
    .filter((name) => {
      const [, route, framework] = parts(name);
      return !rows.some((row) => row.startsWith(`| ${route} | ${framework} |`) && !/ [1-9]\d* of /.test(row));
    });
}

function intro(deadline) {
  return `# The fault matrix

Written by \`npm run matrix\`. Twelve faults of an upstream × five behaviours of a client × GET and POST, two clients at once and
eight one after another are played with real sockets by [\`conformance()\`](testing.md#conformance) against an app; each cell is right or wrong by what client and upstream
have seen. [What is right](testing.md#conformance) is the same for everybody. The deadline is ${deadline} ms. This package runs with
\`stall\` set to the same time: by default a stream that has begun and falls silent is not cut. got runs without its retries.

The routes are written as one would write them, with nothing about failures in them. Where it says _parsed_ the route reads the whole answer
of its upstream before it sends its own; where it says _streamed_ it passes the body on as it comes.`;
}

const parts = (name) => /^(.*?): (.*) \((.*)\)$/.exec(name).slice(1);

function oursTable(results) {
  const versions = [...new Set(results.map(({ node }) => node))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const names = [...new Set(results.map(({ name }) => name))];
  const rows = names.map((name) => {
    const [, route, framework] = parts(name);
    const cells = versions.map((version) => {
      const result = results.find((it) => it.name === name && it.node === version);
      return result
        ? `${count(result.cells, 'wrong')} of ${result.cells.length - count(result.cells, 'unseen')}`
        : '';
    });
    return `| ${route} | ${framework} | ${cells.join(' | ')} |`;
  });
  return [
    'Wrong cells. HTTP/2 has no half-close, which makes twelve cells fewer.',
    '',
    `| the route's call | on | ${versions.map((version) => `Node ${version.slice(1)}`).join(' | ')} |`,
    `| --- | --- |${' --- |'.repeat(versions.length)}`,
    ...rows,
  ].join('\n');
}

function peersTable(results) {
  const version = results[0]?.node.slice(1);
  const rows = results.map(({ name, cells }) => {
    const [guard, route] = parts(name);
    const what = route.startsWith('http-proxy') ? `${route} alone, with \`proxyTimeout\`` : titleOf(guard);
    return `| ${what} | ${route} | ${count(cells, 'wrong')} of ${cells.length} |`;
  });
  return [
    `On Express 5 and Node ${version}. The snippet answers 504 to every POST, also while all is well, so it is judged by its GETs alone.`,
    '',
    '| mounted | the route’s call | wrong |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}

const titleOf = (guard) => (guard === 'nothing' ? 'nothing: plain Express' : guard);

function detail({ name, cells }) {
  const [guard, route] = parts(name);
  const title = route.startsWith('http-proxy') ? `${route}, alone` : `${titleOf(guard)}, ${route}`;
  const faults = [...new Set(cells.map(({ fault }) => fault))];
  const mark = (fault, method, client) => {
    const cell = cells.find((it) => it.fault === fault && it.method === method && it.client === client);
    if (cell === undefined) return '';
    return { right: '✓', wrong: '✗', flaky: '~', unseen: '·' }[cell.verdict];
  };
  const rows = faults.map(
    (fault) =>
      `| \`${fault}\` | ${CLIENTS.map((client) => `${mark(fault, 'GET', client)} ${mark(fault, 'POST', client)}`).join(' | ')} |`,
  );
  return [
    `### ${title}`,
    '',
    `| GET, POST | ${CLIENTS.map((client) => client.replaceAll('-', ' ')).join(' | ')} |`,
    `| --- |${' --- |'.repeat(CLIENTS.length)}`,
    ...rows,
    '',
    ...reasons(cells),
  ].join('\n');
}

function reasons(cells) {
  const counts = new Map();
  for (const { verdict, why } of cells) {
    if (verdict !== 'wrong') continue;
    for (const reason of why.split('; ')) {
      // Times and bytes differ from run to run.
      const plain = reason.replace(/\d+ ms/, 'the time').replace(/"[^"]*"/, '…');
      counts.set(plain, (counts.get(plain) ?? 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([reason, times]) => `- ${times} ×: ${reason}`);
}
