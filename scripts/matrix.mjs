// The fault matrix of this package and of its peers: `npm run matrix`. Plays it against the built package (run
// `npm run build` before), prints the counts, and writes docs/fault-matrix.md. Ends with 1 where a cell of ours is wrong.
//
//   --node PATH       another Node binary to run on; may be given several times. Also MATRIX_NODES, separated by colons.
//   --only TEXT       only the subjects whose name contains it; the document is left as it is
//   --jobs N          how many subjects at a time (default 2)
//   --deadline MS     the deadline of the routes (default 800); --margin MS (default 800)
//   --ours            leave the peers out; the document is left as it is
//   --check           the same, and see that the document has a row for everything of ours and no wrong cell
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { matrixDocument, missingFrom } from './matrix/document.mjs';
import { subjects } from './matrix/subjects.mjs';

const { values } = parseArgs({
  options: {
    node: {
      type: 'string',
      multiple: true,
      default: (process.env.MATRIX_NODES ?? '').split(':').filter(Boolean),
    },
    only: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    deadline: { type: 'string', default: '800' },
    margin: { type: 'string', default: '800' },
    ours: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});

const script = fileURLToPath(new URL('matrix/subject.mjs', import.meta.url));

async function play(node, subject) {
  const given = { ...subject, deadline: Number(values.deadline), margin: Number(values.margin) };
  const args = [script, JSON.stringify(given)];
  const env = { ...process.env, NODE_ENV: 'production' };
  const { stdout } = await promisify(execFile)(node, args, { env, maxBuffer: 2 ** 26, timeout: 600_000 });
  const result = JSON.parse(stdout.trim().split('\n').at(-1));
  const wrong = result.cells.filter(({ verdict }) => verdict === 'wrong');
  process.stdout.write(
    `${result.node}  ${subject.name}: ${result.cells.length} cells, ${wrong.length} wrong\n`,
  );
  if (subject.ours) {
    for (const { fault, client, method, why } of wrong)
      process.stdout.write(`    ${fault}, ${method} ${client}: ${why}\n`);
  }
  return { ...result, name: subject.name, ours: subject.ours };
}

const nodes = [process.execPath, ...values.node];
const chosen = subjects.filter(
  ({ name, ours }) => name.includes(values.only ?? '') && (ours || !(values.ours || values.check)),
);
// The peers are shown on one version of Node: their faults do not depend on it.
const queue = nodes.flatMap((node, i) =>
  chosen.filter(({ ours }) => ours || i === 0).map((subject) => ({ node, subject })),
);
const results = [];
const failures = [];

await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      try {
        results.push(await play(next.node, next.subject));
      } catch (error) {
        failures.push(next.subject.name);
        process.stdout.write(`${next.subject.name}: could not be played: ${error.stderr || error.message}\n`);
      }
    }
  }),
);

const names = subjects.map(({ name }) => name);
const bySubject = (a, b) => names.indexOf(a.name) - names.indexOf(b.name);
const ours = results.filter((result) => result.ours).flatMap(({ cells }) => cells);
const wrong = ours.filter(({ verdict }) => verdict === 'wrong').length;
process.stdout.write(`\nOurs: ${ours.length} cells, ${wrong} wrong.\n`);
const target = new URL('../docs/fault-matrix.md', import.meta.url);
if (values.check) failures.push(...missingFrom(await readFile(target, 'utf8'), chosen));
else if (values.only === undefined && !values.ours && failures.length === 0) {
  await writeFile(target, matrixDocument(results.sort(bySubject), { deadline: values.deadline }));
  process.stdout.write('docs/fault-matrix.md is written.\n');
}
for (const name of values.check ? failures : []) process.stdout.write(`Not as it should be: ${name}\n`);
process.exitCode = wrong > 0 || failures.length > 0 ? 1 : 0;
