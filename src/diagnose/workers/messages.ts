import type { Report } from '../report';

/** What workers and their primary send each other over Node's own channel between processes. */
export type WorkerMessage =
  /** A worker asks its primary for the reports of all workers. */
  | { readonly type: 'express-hangup:ask'; readonly id: number }
  /** The primary asks each worker for its report. */
  | { readonly type: 'express-hangup:report?'; readonly id: number }
  /** A worker answers. */
  | { readonly type: 'express-hangup:report'; readonly id: number; readonly report: Report }
  /** The primary hands over a worker's answer, as soon as it comes, and without a check. */
  | { readonly type: 'express-hangup:one'; readonly id: number; readonly report: unknown }
  /** That was the last one; the primary says how many workers have not answered. */
  | {
      readonly type: 'express-hangup:reports';
      readonly id: number;
      /** A primary of an older version hands over all answers here. */
      readonly reports: readonly unknown[];
      readonly missing: number;
    };

/** Whether a message is one of ours, of a certain kind: an app sends messages of its own over the same channel. */
export function isMessage<Type extends WorkerMessage['type']>(
  message: unknown,
  type: Type,
): message is Extract<WorkerMessage, { type: Type }> {
  if (typeof message !== 'object' || message === null) return false;
  const known = message as { type?: unknown; id?: unknown };
  return known.type === type && typeof known.id === 'number';
}
