import { wrongType } from '../options';

/** What `tuneServer()` gives, as far as it is shown: its findings, in words. */
export interface Tuning {
  readonly findings: readonly { readonly message: string }[];
}

/** The findings of one or several tunings, checked. */
export function findingsIn(tuning: Tuning | readonly Tuning[] | undefined): string[] {
  const all: readonly unknown[] = tuning === undefined ? [] : Array.isArray(tuning) ? tuning : [tuning];
  return all.flatMap((one) => {
    const findings: unknown = (one as Partial<Tuning> | null | undefined)?.findings;
    if (!Array.isArray(findings))
      throw wrongType('diagnose(): option "tuning"', one, 'what tuneServer() gives');
    return (findings as Tuning['findings']).map(({ message }) => message);
  });
}
