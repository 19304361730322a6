import type { Request } from 'express';
import { checkNames, numberThat, optionalFunction, wrongType } from '../options';
import type { Tuning } from './tuning';

/** The options of `diagnose()`. */
export interface DiagnoseOptions {
  /**
   * Decides who may see the page: return `true`, or a promise of it, to allow a request. Default: only requests
   * from this machine in which nothing suggests a proxy or another site. Behind a proxy, and in production, the
   * page needs this option.
   */
  allow?: (req: Request) => boolean | Promise<boolean>;
  /** The result of `tuneServer()`, or a list of them: their findings are shown with the others. */
  tuning?: Tuning | readonly Tuning[];
  /**
   * Whether each call's line in the app is noted; a number is the share of calls, `0.01` for one in a hundred. Default
   * `true`; `false` if `NODE_ENV` is `production`.
   */
  where?: boolean | number;
  /**
   * A file to which each fault is written, one JSON object a line, for `npx express-hangup fix --from`. At 10 MB it is
   * renamed to `<file>.1`, and a new file is begun. Default: none.
   */
  file?: string;
}

const NAMES = ['allow', 'tuning', 'where', 'file'];

/** Checks the options of `diagnose()`, and gives the share of calls whose line is noted. */
export function checkDiagnoseOptions(options: DiagnoseOptions): { whereShare: number } {
  const where = 'diagnose(): option';
  checkNames('diagnose()', options, NAMES);
  optionalFunction(`${where} "allow"`, options.allow);
  const { file } = options;
  if (file !== undefined && (typeof file !== 'string' || file === ''))
    throw wrongType(`${where} "file"`, file, 'the path of a file');
  return { whereShare: shareOf(options.where) };
}

function shareOf(where: unknown): number {
  if (where === undefined) return process.env['NODE_ENV'] === 'production' ? 0 : 1;
  if (typeof where === 'boolean') return where ? 1 : 0;
  const [name, allowed] = ['diagnose(): option "where"', 'true, false, or a share from 0 to 1'];
  return numberThat(name, where, allowed, (share) => share >= 0 && share <= 1);
}
