import { appendFileSync, renameSync, statSync } from 'node:fs';
import type { FaultReport } from '../report';
import { recordOf } from './fault-record';

/** A file that has become so large is put aside, and another one is begun. */
const MAX_BYTES = 10_000_000;
/** How often waiting lines are written. */
const EVERY_MS = 250;
/** Lines that wait; a storm of faults costs no more than these. */
const MAX_WAITING = 1000;

/** Writes each fault as a line of JSON. Lines are gathered, and written a few times a second and at the process's end. */
export class FaultFile {
  private lines: string[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly path: string) {
    process.on('exit', this.flush);
  }

  write(fault: FaultReport): void {
    if (this.lines.length >= MAX_WAITING) return;
    this.lines.push(`${JSON.stringify(recordOf(fault))}\n`);
    this.timer ??= setTimeout(this.flush, EVERY_MS).unref();
  }

  close(): void {
    process.off('exit', this.flush);
    this.flush();
  }

  private readonly flush = (): void => {
    clearTimeout(this.timer);
    this.timer = undefined;
    const text = this.lines.join('');
    this.lines = [];
    if (text === '') return;
    try {
      if (sizeOf(this.path) > MAX_BYTES) renameSync(this.path, `${this.path}.1`);
      // It names hosts and files of the app: nobody else on the machine needs to read it.
      appendFileSync(this.path, text, { mode: 0o600 });
    } catch (error) {
      process.emitWarning(`diagnose() cannot write faults to ${this.path}: ${String(error)}`, {
        code: 'EXPRESS_HANGUP_FAULT_FILE',
      });
    }
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
