// Plays what can happen to a call, with every client, and writes into docs/diagnose.md whether diagnose() tells it right.
//
//   npm run build && npm ci --prefix ecosystem && node bench/diagnose-scenarios.mjs
import { readFile, writeFile } from 'node:fs/promises';
import { playAll } from '../ecosystem/tests/diagnose/scenarios/run.mjs';

const page = new URL('../docs/diagnose.md', import.meta.url);
const { stdout, stderr } = await playAll('--verbose');
process.stderr.write(stderr);
const text = await readFile(page, 'utf8');
const [before, , after] = text.split(/^(<!-- scenarios: begin -->\n[^]*?<!-- scenarios: end -->\n)/m);
const counts = Object.fromEntries(
  ['right', 'unknown', 'wrong'].map((cell) => [cell, stdout.split(`| ${cell} `).length - 1]),
);
const words = `Played with every client by \`node bench/diagnose-scenarios.mjs\`, here on Node ${process.versions.node.split('.')[0]}: ${counts.right} right, ${counts.unknown} unknown, ${counts.wrong} wrong. *Unknown* means that no trigger, or no advice, was given where one would be right; a dash, that the client cannot do it. hangupProxy() and \`upstream()\` send a GET that a dead socket has swallowed once more, on a fresh one. If that fails too, the socket was not to blame for certain.`;
await writeFile(
  page,
  `${before}<!-- scenarios: begin -->\n## What is told, by client\n\n${words}\n\n${stdout}\n<!-- scenarios: end -->\n${after}`,
);
process.exit(counts.wrong === 0 ? 0 : 1);
