import { parseArgs } from 'node:util';
import { wrongArguments } from '../wrong-arguments';
import { rules } from '../../eslint/plugin';

const BRANCH = 'express-hangup/repair';

/** What `express-hangup fix --help` prints. At most 80 columns. */
export const USAGE = `Usage: express-hangup fix [paths] [options]

Finds what goes on when its request is over, and what answers 500 for an
upstream's fault; shows the repairs as a diff.

  paths              files and folders (default: the current folder)
  --write            apply the repairs; the files must be committed
  --verify COMMAND   run COMMAND ("npm test") before and after; a repair that
                     breaks it is taken back. With --write or --branch
  --branch [NAME]    apply, and commit on a new branch (default
                     ${BRANCH})
  --pr               the same, and open a pull request with gh; without gh, the
                     commands to type
  --from FILE        begin with the calls that failed in production: one JSON
                     object a line with code, method, route, where
  --deadline MS      the deadline for hangup() where it is mounted (default
                     25000, by not naming one)
  --context          also give services currentSignal(), and mount
                     hangup({ context: true }) for it
  --only RULE        only this rule; may be given several times
  --skip RULE        not this rule; may be given several times
  --check            for CI: write nothing, end with 1 where there is something
                     to repair
  --json             print JSON in place of words
  -h, --help

Ends with 0; with 1 where --check finds something, or the tests fail; with 2
where it could not run.
`;

/** The arguments of the command. */
export interface FixArguments {
  readonly paths: readonly string[];
  readonly write: boolean;
  readonly verify: string | undefined;
  /** The branch to commit on; `undefined` for none. */
  readonly branch: string | undefined;
  readonly pr: boolean;
  readonly from: string | undefined;
  readonly deadline: number | undefined;
  readonly context: boolean;
  readonly only: readonly string[];
  readonly skip: readonly string[];
  readonly check: boolean;
  readonly json: boolean;
}

/** Reads the arguments; `undefined` for `--help`. Throws a TypeError that names what is wrong. */
export function fixArguments(args: readonly string[]): FixArguments | undefined {
  const { values, positionals } = parsed(args);
  if (values.help) return undefined;
  const branch = values.branch ?? (values.pr ? BRANCH : undefined);
  const write = values.write || branch !== undefined;
  for (const name of [...values.only, ...values.skip]) checkRule(name);
  if (values.check && write)
    throw new TypeError('--check writes nothing: leave out --write, --branch and --pr.');
  if (values.verify !== undefined && !write)
    throw new TypeError('--verify runs the tests on repaired files: give --write or --branch too.');
  const { verify, from, pr, context, only, skip, check, json } = values;
  const paths = positionals.length === 0 ? ['.'] : positionals;
  const deadline = deadlineFrom(values.deadline);
  return { paths, write, verify, branch, pr, from, deadline, context, only, skip, check, json };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: named(args),
      allowPositionals: true,
      options: {
        write: { type: 'boolean', default: false },
        verify: { type: 'string' },
        branch: { type: 'string' },
        pr: { type: 'boolean', default: false },
        from: { type: 'string' },
        deadline: { type: 'string' },
        context: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        skip: { type: 'string', multiple: true, default: [] },
        check: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw wrongArguments(error, 'fix');
  }
}

/** `--branch` may stand without a name: then a default takes its place. */
function named(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    const next = args[index + 1];
    return arg === '--branch' && (next === undefined || next.startsWith('-'))
      ? [`--branch=${BRANCH}`]
      : [arg];
  });
}

function checkRule(name: string): void {
  if (Object.hasOwn(rules, name)) return;
  throw new TypeError(`There is no rule "${name}". Known rules: ${Object.keys(rules).join(', ')}.`);
}

function deadlineFrom(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Number(text);
  if (!/^\d+$/.test(text) || ms < 1 || ms > 2 ** 31 - 1)
    throw new TypeError(`--deadline is "${text}", but must be milliseconds from 1 to ${2 ** 31 - 1}.`);
  return ms;
}
