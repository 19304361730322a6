import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';

/** A Markdown table. */
export function table(headings, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The version of a Node binary. */
export function versionOf(node) {
  return execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
}

/** The machine in one line, with how busy it is at the moment: figures from a busy machine are worth less. */
export function machine() {
  const [{ model = 'unknown CPU' } = {}] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${model.trim()}, ${cpus().length} cores, ${gib} GiB, ${process.platform}; load ${loadavg()[0].toFixed(1)}`;
}
