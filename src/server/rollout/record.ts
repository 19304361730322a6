import { appendFileSync, existsSync, openSync, readFileSync, rmSync, writeSync, closeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Slot } from './haproxy-config';
import type { Instance } from './instance';

/** A version in its slot. */
export interface Placed extends Instance {
  slot: Slot;
}

/** One rollout, as a line of `record.jsonl`. */
export interface RolloutRecord {
  at: string;
  /** The user who ran the command. */
  by: string;
  action: 'run' | 'back';
  version: string;
  /** The version that served before; null at the first rollout. */
  replaces: string | null;
  outcome: 'shifted' | 'refused' | 'taken back';
  /** Why it was refused or taken back. */
  why?: string;
  /** Set if the rollout was approved. */
  approved?: true;
  /** How long it took, in milliseconds. */
  ms: number;
  /** Requests answered meanwhile, and those that clients saw fail (5xx). */
  requests: number;
  lost: number;
  /** The version that serves afterwards; null for none. */
  serving: Placed | null;
  /** The version that served before, for `rollout back`. */
  before: Placed | null;
}

/** The lines of a directory's record, oldest first. */
export function readRecord(directory: string): RolloutRecord[] {
  const file = join(directory, 'record.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RolloutRecord);
}

/** Adds a line to the record. */
export function addToRecord(directory: string, record: Omit<RolloutRecord, 'at' | 'by'>): void {
  const line = { at: new Date().toISOString(), by: userInfo().username, ...record };
  appendFileSync(join(directory, 'record.jsonl'), `${JSON.stringify(line)}\n`);
}

/** Takes a lock, so that only one rollout runs at a time. Gives the function that releases it. */
export function lock(directory: string): () => void {
  const file = join(directory, 'rollout.lock');
  if (existsSync(file) && !isRunning(Number(readFileSync(file, 'utf8')))) rmSync(file);
  let handle: number;
  try {
    handle = openSync(file, 'wx');
  } catch (error) {
    throw new Error(`Another rollout is running (${file}).`, { cause: error });
  }
  writeSync(handle, String(process.pid));
  closeSync(handle);
  return () => rmSync(file, { force: true });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
