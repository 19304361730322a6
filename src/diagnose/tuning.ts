import { wrongType } from '../options';

/** What `tuneServer()` gives, as far as it is shown: its findings, in words. */
export interface Tuning {
  readonly findings: readonly (string | { readonly message: string })[];
}

/** The findings of one or several tunings, checked. */
export function findingsIn(tuning: Tuning | readonly Tuning[] | undefined): string[] {
  if (tuning === undefined) return [];
  const all = Array.isArray(tuning) ? (tuning as readonly Tuning[]) : [tuning as Tuning];
  return all.flatMap((one) => {
    const findings: unknown = (one as Tuning | null | undefined)?.findings;
    if (!Array.isArray(findings))
      throw wrongType('diagnose(): option "tuning"', one, 'what tuneServer() gives');
    return (findings as Tuning['findings']).map((finding) =>
      typeof finding === 'string' ? finding : finding.message,
    );
  });
}
