import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Finding } from './repair-file';

/** A fault that production has seen, in the part that a repair starts from: as `diagnose({ file })` writes it, or `faultLine()`. */
export interface SeenFault {
  readonly code: string;
  readonly method: string;
  readonly route: string;
  readonly where: { readonly file: string; readonly line: number; readonly column: number };
}

/**
 * Reads faults, one JSON object a line; other fields are left alone, and so are faults without `where`.
 * @throws {Error} where the file cannot be read, or a line is not such an object: it names the line.
 */
export function readFaults(path: string): SeenFault[] {
  const lines = contentOf(path).split(/\r?\n/);
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const fault = parsed(line, `${path}, line ${index + 1}`);
    return fault === undefined ? [] : [fault];
  });
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`--from: "${path}" cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

function parsed(line: string, at: string): SeenFault | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new Error(`${at} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null) throw new Error(`${at} is not an object.`);
  const { code, method, route, where } = value as Record<string, unknown>;
  if (where === undefined || where === null) return undefined;
  const { file, line: row, column } = typeof where === 'string' ? inParts(where) : (where as Where);
  if (typeof file !== 'string' || typeof row !== 'number')
    throw new Error(
      `${at}: where must be { file, line, column }, with a text and two numbers, or "file:line:column".`,
    );
  const place = {
    file: file.startsWith('file:') ? fileURLToPath(file) : file,
    line: row,
    column: Number(column ?? 1),
  };
  return { code: String(code), method: String(method), route: String(route), where: place };
}

interface Where {
  readonly file?: unknown;
  readonly line?: unknown;
  readonly column?: unknown;
}

/** `/app/routes/users.js:12:28`, as `faultLine()` has it. */
function inParts(where: string): Where {
  const [, file, line, column] = /^(.+):(\d+):(\d+)$/.exec(where) ?? [];
  return { file, line: line === undefined ? undefined : Number(line), column: Number(column) };
}

const ABOUT_CALLS = /^(call|service)-without-signal$/;

/**
 * Whether a finding is about the call that a fault came from. Production's folder may be another: the end of the path decides.
 * A stack names the line of `.get(` in a call of several lines.
 */
export function isAbout(finding: Finding, { where }: SeenFault): boolean {
  const seen = where.file.replaceAll('\\', '/');
  if (seen !== finding.file && !seen.endsWith(`/${finding.file}`)) return false;
  const last = ABOUT_CALLS.test(finding.rule) ? finding.endLine : finding.line;
  return where.line >= finding.line && where.line <= last;
}

/** The findings, those about the faults first, and among them the most frequent first. */
export function faultsFirst(findings: readonly Finding[], faults: readonly SeenFault[]): Finding[] {
  const count = (finding: Finding): number => faults.filter((fault) => isAbout(finding, fault)).length;
  return [...findings].sort((a, b) => count(b) - count(a));
}
