import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FAULT_CODES, gatewayFault } from '../src/answer/fault';
import {
  ClientClosedRequestError,
  DeadlineExceededError,
  ResponseDestroyedError,
  ResponseStalledError,
  ServerDrainingError,
} from '../src/errors';
import { channels } from '../src/events';
import { DEFAULTS } from '../src/options';

const root = join(__dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The rows of the table that has this header, as lists of cells. */
function table(header: string): string[][] {
  const lines = readme.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${header}`));
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((row) =>
      row
        .replaceAll('\\|', '¦')
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const bare = (cell = ''): string => cell.replace(/^\[?`([^`]+)`.*$/, '$1');

describe('the README', () => {
  it('names the defaults that the code has', () => {
    const documented = table('option | default')
      .slice(0, Object.keys(DEFAULTS).length)
      .map(([name, value]) => [bare(name), bare(value).replaceAll('_', '')]);
    expect(documented).toEqual(Object.entries(DEFAULTS).map(([name, value]) => [name, String(value)]));
  });

  it('names every code with the status that it has', () => {
    const documented = table('code | status').map(([code, status]) => [bare(code), Number(status)]);
    expect(documented).toEqual(FAULT_CODES.map((code) => [code, gatewayFault(code, undefined).status]));
  });

  it('names every reason with its code, name and status', () => {
    const reasons = [
      new ClientClosedRequestError(),
      new DeadlineExceededError(1),
      new ResponseStalledError(1),
      new ServerDrainingError(),
      new ResponseDestroyedError(),
    ];
    const documented = table('what happens | `reason.code`').map(([, code, name, status]) => [
      bare(code),
      bare(name),
      Number(status),
    ]);
    expect(documented).toEqual(reasons.map(({ code, name, status }) => [code, name, status]));
  });

  it('names every channel', () => {
    expect(table('channel | when').map(([name]) => bare(name))).toEqual(
      Object.values(channels).map(({ name }) => name),
    );
  });

  it('links to files and headings that exist, in all the documents', () => {
    const broken = [
      'README.md',
      'CONTRIBUTING.md',
      'docs/how-it-works.md',
      'docs/errors.md',
      'docs/migrating.md',
    ].flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link]) => link!)
        .filter((link) => !link.startsWith('http'));
      return links.filter((link) => !isThere(link, join(root, file))).map((link) => `${file}: ${link}`);
    });
    expect(broken).toEqual([]);
  });
});

function isThere(link: string, from: string): boolean {
  const [path, anchor] = link.split('#');
  const file = path === '' || path === undefined ? from : join(dirname(from), path);
  if (!existsSync(file)) return false;
  if (anchor === undefined) return true;
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm);
  return [...headings].some(
    ([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .trim()
        .replaceAll(' ', '-') === anchor,
  );
}
