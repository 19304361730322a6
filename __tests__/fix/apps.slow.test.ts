import { appProject, judge, ownTests, removeBuilt, testCommand, type Project } from './workshop';

const DEADLINE = 800;

const APPS: [name: string, what: string, options: string[]][] = [
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

jest.setTimeout(300_000);

afterAll(removeBuilt);

describe.each(APPS)('%s: %s', (name, _what, options) => {
  let app: Project;

  beforeAll(() => {
    app = appProject(name);
  });

  afterAll(() => app.remove());

  it('passes its tests before and after, and loses nine of ten wrong cells', async () => {
    expect(ownTests(app)).toBe('passed');
    const before = judge(app, DEADLINE);
    const run = await app.fix(
      '--write',
      '--verify',
      testCommand(app),
      '--deadline',
      String(DEADLINE),
      ...options,
    );
    expect(run).toMatchObject({ code: 0, err: expect.stringContaining('With') });
    expect(run.out).not.toContain('Taken back');
    expect(ownTests(app)).toBe('passed');
    const after = judge(app, DEADLINE);
    console.info(`${name}: ${before.wrong} cells wrong before, ${after.wrong} after`);
    if (after.wrong * 10 > before.wrong) throw new Error(`${app.git('diff')}\n${after.table}`);
    expect(before.wrong).toBeGreaterThan(10);
  });
});
