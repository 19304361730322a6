import { conformance, faultyUpstream, type ConformanceResult } from 'express-hangup/testing';
import { DEADLINE, type DefectiveApp, type SmallApp } from './parts';

/** Plays the whole matrix against an app. */
export async function judged({ make, options }: SmallApp): Promise<ConformanceResult> {
  const upstream = await faultyUpstream();
  try {
    const given = { upstream, deadline: DEADLINE, ...options };
    return await conformance((await make(upstream.url)) as never, given);
  } finally {
    await upstream.close();
  }
}

/** What the whole matrix says of an app, cell by cell that is wrong. */
export async function complaintsOf(app: DefectiveApp): Promise<string> {
  const wrong = (await judged(app)).cells.filter(({ verdict }) => verdict === 'wrong');
  return wrong.map(({ why }) => why).join('\n');
}

/** How many cells at most may not be seen: in hardly any one an app has no time to call before its client left, but for a queue. */
export function mostUnseen({ options }: SmallApp, cells: number): number {
  return cells / (options?.background === true ? 2 : 10);
}
