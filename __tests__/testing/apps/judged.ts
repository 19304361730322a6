import { conformance, faultyUpstream, type ConformanceResult } from 'express-hangup/testing';
import { DEADLINE, type DefectiveApp, type SmallApp } from './parts';

async function judged({ make, options }: SmallApp): Promise<ConformanceResult> {
  const upstream = await faultyUpstream();
  try {
    const given = { upstream, deadline: DEADLINE, ...options };
    return await conformance((await make(upstream.url)) as never, given);
  } finally {
    await upstream.close();
  }
}

/** Plays the whole matrix against each app, and sees that its defect is named. */
export function namesEach(apps: readonly DefectiveApp[]): void {
  it.each(apps)('names the defect of an app that $name', async (app) => {
    const wrong = (await judged(app)).cells.filter(({ verdict }) => verdict === 'wrong');
    expect(wrong.map(({ why }) => why).join('\n')).toMatch(app.says);
  });
}

/** Plays the whole matrix against each app, and sees that nothing is wrong with it. */
export function accusesNone(apps: readonly SmallApp[]): void {
  it.each(apps)('does not accuse an app that $name', async (app) => {
    const result = await judged(app);
    result.expectRight();
    // A cell in which the app had no time to call before its client left is not seen; hardly any is, but of a queue.
    const most = app.options?.background === true ? 2 : 10;
    expect(result.unseen).toBeLessThan(result.cells.length / most);
  });
}
