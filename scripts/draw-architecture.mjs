// Draws docs/architecture.svg from docs/architecture.txt: node scripts/draw-architecture.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const docs = new URL('../docs/', import.meta.url);
const SIDES = {
  top: (box, at) => [box.x + box.width * at, box.y],
  bottom: (box, at) => [box.x + box.width * at, box.y + box.height],
  left: (box, at) => [box.x, box.y + box.height * at],
  right: (box, at) => [box.x + box.width, box.y + box.height * at],
};
const STYLE = `
    .ground { fill: #ffffff; }
    .box { fill: #f6f8fa; stroke: #59636e; }
    .ours { fill: #ddf4ff; stroke: #0969da; }
    text { fill: #1f2328; font: 12px ui-sans-serif, system-ui, sans-serif; text-anchor: middle; }
    .title { font-weight: 600; font-size: 14px; }
    .label { fill: #59636e; font-style: italic; paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
    path { stroke: #59636e; fill: none; }
    marker path { fill: #59636e; stroke: none; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117; }
      .box { fill: #161b22; stroke: #9198a1; }
      .ours { fill: #0c2d4a; stroke: #4493f8; }
      text { fill: #f0f6fc; }
      .label { fill: #9198a1; stroke: #0d1117; }
      path { stroke: #9198a1; }
      marker path { fill: #9198a1; }
    }`;
const OURS = ['lifetime', 'gate', 'errors', 'events'];

/** The picture that a text in this form describes. */
export function draw(text) {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const boxes = new Map(lines.filter((line) => line.startsWith('box ')).map(readBox));
  const arrows = lines.filter((line) => line.startsWith('line ')).map((line) => drawLine(line, boxes));
  const width = Math.max(...[...boxes.values()].map((box) => box.x + box.width)) + 20;
  const height = Math.max(...[...boxes.values()].map((box) => box.y + box.height)) + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="How a request passes through express-hangup">
  <style>${STYLE}
  </style>
  <rect class="ground" width="${width}" height="${height}" rx="8"/>
  <marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>
${[...boxes].map(([name, box]) => drawBox(name, box)).join('\n')}
${arrows.join('\n')}
</svg>
`;
}

function readBox(line) {
  const [, name, x, y, width, height, words] = /^box +(\w+) +(\d+) +(\d+) +(\d+) +(\d+) +(.+)$/.exec(line);
  const [title, ...more] = words.split(' | ');
  return [name, { x: Number(x), y: Number(y), width: Number(width), height: Number(height), title, more }];
}

function drawBox(name, { x, y, width, height, title, more }) {
  const middle = x + width / 2;
  const first = y + height / 2 + 5 - more.length * 9;
  const kind = OURS.includes(name) ? 'box ours' : 'box';
  const rows = more.map(
    (row, at) => `<text x="${middle}" y="${first + 18 * (at + 1)}">${escape(row)}</text>`,
  );
  return `  <rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>
  <text class="title" x="${middle}" y="${first}">${escape(title)}</text>${rows.join('')}`;
}

function drawLine(line, boxes) {
  const form = /^line +(\w+) (\w+) ([\d.]+) +> +(\w+) (\w+) ([\d.]+) +(.+)$/;
  const [, from, fromSide, fromAt, to, toSide, toAt, label] = form.exec(line);
  const [x1, y1] = SIDES[fromSide](boxes.get(from), Number(fromAt));
  const [x2, y2] = SIDES[toSide](boxes.get(to), Number(toAt));
  // A line that leaves by a side and enters by a top or bottom turns once.
  const turn = /left|right/.test(fromSide) && /top|bottom/.test(toSide) ? `H${x2}V` : `L${x2} `;
  const isTurned = turn.startsWith('H');
  // Near the beginning of a slanted line: two of them cross in the middle.
  const share = y1 !== y2 && !isTurned ? 0.25 : 0.5;
  const [lx, ly] = [
    x1 + (x2 - x1) * share,
    isTurned ? y1 - 6 : y1 + (y2 - y1) * share + (y1 === y2 ? -6 : 4),
  ];
  return `  <path d="M${x1} ${y1}${turn}${y2}" marker-end="url(#tip)"/><text class="label" x="${lx}" y="${ly}">${escape(label)}</text>`;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(
    new URL('architecture.svg', docs),
    draw(readFileSync(new URL('architecture.txt', docs), 'utf8')),
  );
}
