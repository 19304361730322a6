import { appendFileSync, renameSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { printableJson } from '../printable';
import type { FaultReport } from '../report';
import { recordOf } from './fault-record';

/** A file that has become so large is put aside, and another one is begun. */
const MAX_BYTES = 10_000_000;
/** For so long after a write further lines are gathered. */
const GATHERED_MS = 250;
/** So many lines are written without waiting any longer: a storm of faults needs no more memory than these. */
const MAX_GATHERED = 1000;

/**
 * Writes each fault as a line of JSON. A line is written at once, because the process may be about to end, and a SIGTERM
 * without a listener ends it without any event. Only lines that follow closely upon a write are gathered.
 */
export class FaultFile {
  private readonly path: string;
  private lines: string[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** How many lines could not be written since writing worked last. */
  private lost = 0;

  constructor(path: string) {
    // The app may change its working directory later.
    this.path = resolve(path);
  }

  write(fault: FaultReport): void {
    this.lines.push(`${printableJson(recordOf(fault))}\n`);
    if (this.timer === undefined) {
      this.flush();
      this.gather();
    } else if (this.lines.length >= MAX_GATHERED) this.flush();
  }

  /** Writes what has been gathered. */
  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.flush();
  }

  private gather(): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.lines.length === 0) return;
      this.flush();
      this.gather();
    }, GATHERED_MS).unref();
  }

  private flush(): void {
    const { lines, path, lost } = this;
    if (lines.length === 0) return;
    this.lines = [];
    try {
      if (sizeOf(path) > MAX_BYTES) renameSync(path, `${path}.1`);
      // When a disk is full, a line may have been written in part.
      const text = (lost > 0 ? '\n' : '') + lines.join('');
      // It names hosts and files of the app: nobody else on the machine needs to read it.
      appendFileSync(path, text, { mode: 0o600 });
      this.lost = 0;
      if (lost > 0) warn(`diagnose() writes faults to ${path} again; ${lost} are missing there`);
    } catch (error) {
      // Once, and not for each fault until somebody mends it.
      if (lost === 0) warn(`diagnose() cannot write faults to ${path}: ${String(error)}`);
      this.lost += lines.length;
    }
  }
}

function warn(words: string): void {
  process.emitWarning(words, { code: 'EXPRESS_HANGUP_FAULT_FILE' });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
