import { conformance, faultyUpstream } from 'express-hangup/testing';
import { DEFECTS_IN_ANSWERS } from './apps/defects-in-answers';
import { DEFECTS_IN_CALLS } from './apps/defects-in-calls';
import { DEADLINE, type DefectiveApp } from './apps/parts';

const DEFECTS = [...DEFECTS_IN_ANSWERS, ...DEFECTS_IN_CALLS];

async function complaintsOf({ make, options }: DefectiveApp): Promise<string[]> {
  const upstream = await faultyUpstream();
  const { cells } = await conformance(make(upstream.url) as never, {
    upstream,
    deadline: DEADLINE,
    ...options,
  });
  await upstream.close();
  return cells.filter(({ verdict }) => verdict === 'wrong').map(({ why }) => why);
}

describe('conformance(): apps with one defect each', () => {
  it('are at least 45', () => {
    expect(DEFECTS.length).toBeGreaterThanOrEqual(45);
  });

  it.each(DEFECTS)('names the defect of an app that $name', async (app) => {
    expect((await complaintsOf(app)).join('\n')).toMatch(app.says);
  });
});
