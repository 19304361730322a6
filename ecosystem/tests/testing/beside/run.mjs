// `node run.mjs <tool>` prints what callers see of each fault of one tool, as JSON.
import { callers } from './callers.mjs';
import { tools } from './tools.mjs';

const FAULTS = ['hang', 'reset', 'close', 'close-body', 'garbage', 'refuse', 'stale'];

async function cellOf(tool, fault) {
  if (!tool.faults.includes(fault)) return '—';
  const seen = [];
  // `stale` shows itself to the one that asks again on its connection.
  const times = fault === 'stale' ? 2 : 1;
  const patience = fault === 'hang' ? 400 : 10_000;
  for (const caller of Object.values(callers))
    seen.push(await tool.with(fault, (url) => caller(url, times, patience)));
  return new Set(seen).size === 1 ? seen[0] : seen.join(' / ');
}

const tool = tools.find(({ name }) => name === process.argv[2]);
const cells = [];
for (const fault of FAULTS) cells.push(await cellOf(tool, fault));
process.stdout.write(JSON.stringify(cells), () => process.exit());
