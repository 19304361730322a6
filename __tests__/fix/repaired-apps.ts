import {
  appProject,
  judge,
  ownTests,
  testCommand,
  type Matrix,
  type Project,
  type Verdicts,
} from './workshop';

/** The apps under `apps`, with what each is like and the options that it is repaired with. */
export const APPS: readonly (readonly [name: string, what: string, options: readonly string[]])[] = [
  ['monolith', 'Express 4, CommonJS, one file, axios, a catch that answers 500', []],
  ['bare', 'Express 5, ES modules, fetch without more', []],
  ['snippet', 'the controller, the timer and req.on("close") that pages tell to paste', []],
  ['controllers', 'Express 4, routers, controllers behind catchAsync, node-fetch 2', []],
  ['services', 'controllers that call a class of services', ['--context']],
  ['axios-instance', 'an axios instance in a file of its own', []],
  ['got', 'got, no semicolons, promises and await', []],
  ['typescript', 'TypeScript, an app in a class, a function around fetch', []],
  ['gateway', 'http-proxy-middleware', []],
  ['connect-timeout', 'connect-timeout on Express 4, promises', []],
];

/** The deadline of the repaired apps in milliseconds: far enough from what a loaded machine needs for a call. */
const DEADLINE = 800;

/** What became of an app. */
export interface Outcome {
  readonly testsBefore: string;
  readonly before: Verdicts;
  readonly fix: { readonly code: number; readonly out: string; readonly err: string };
  readonly testsAfter: string;
  readonly after: Verdicts;
  readonly diff: string;
}

/** Repairs all apps, two at a time, as most of it is waiting; gives for each what comes of it. */
export function repairApps(matrix: Matrix): Map<string, Promise<Outcome>> {
  const outcomes = new Map<string, Promise<Outcome>>();
  const lanes: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];
  APPS.forEach(([name, , options], index) => {
    const lane = index % lanes.length;
    const outcome = (lanes[lane] ?? Promise.resolve()).then(() => repairApp(name, options, matrix));
    outcomes.set(name, outcome);
    // Its own test tells of a failure; the next app runs all the same.
    lanes[lane] = outcome.catch(() => undefined);
  });
  return outcomes;
}

async function repairApp(name: string, options: readonly string[], matrix: Matrix): Promise<Outcome> {
  const app = appProject(name);
  try {
    const testsBefore = await ownTests(app);
    const before = await judge(app, DEADLINE, matrix);
    const fix = await repair(app, options);
    const testsAfter = await ownTests(app);
    const after = await judge(app, DEADLINE, matrix);
    return { testsBefore, before, fix, testsAfter, after, diff: app.git('diff') };
  } finally {
    app.remove();
  }
}

function repair(app: Project, options: readonly string[]): Promise<Outcome['fix']> {
  return app.fix('--write', '--verify', testCommand(app), '--deadline', String(DEADLINE), ...options);
}

/** Holds an app to what is promised: it passes its tests before and after, and loses nine of ten wrong cells. */
export function expectRepaired(name: string, outcome: Outcome): void {
  const { testsBefore, before, fix, testsAfter, after, diff } = outcome;
  expect(testsBefore).toBe('passed');
  expect(fix).toMatchObject({ code: 0, err: expect.stringContaining('With') as string });
  expect(fix.out).not.toContain('Taken back');
  expect(testsAfter).toBe('passed');
  console.info(`${name}: ${before.wrong} cells wrong before, ${after.wrong} after`);
  if (after.wrong * 10 > before.wrong) throw new Error(`${diff}\n${after.table}`);
  expect(before.wrong).toBeGreaterThan(5);
}
