import { RuleTester } from 'eslint';
import { parser } from 'typescript-eslint';
import { rules } from 'express-hangup/eslint';

/** One case: the code, with settings or a file's name where they matter. */
export interface Case {
  code: string;
  express?: number;
  mounted?: boolean;
  filename?: string;
  options?: object;
}

/** A case that is reported, with what the fix or the suggestions make of it. */
export interface Reported extends Case {
  /** The ids of the messages, in the order of the text. */
  ids: string[];
  /** What the fixes make of the code. */
  fixed?: string;
  /** What each suggestion makes of the code, by the finding and its suggestions' ids. */
  suggested?: Record<string, string>[];
}

RuleTester.describe = describe;
RuleTester.it = it;
RuleTester.itOnly = it.only;

/** Runs a rule over both lists, each under its own code as its title; there are at least fifteen of each. */
export function testRule(name: string, valid: (string | Case)[], invalid: Reported[]): void {
  const rule = rules[name];
  if (rule === undefined) throw new Error(`There is no rule ${name}.`);
  it(`${name} has fifteen cases or more of each kind`, () => {
    expect(Math.min(valid.length, invalid.length)).toBeGreaterThanOrEqual(15);
  });
  new RuleTester().run(name, rule as never, {
    valid: valid.map((each) => common(typeof each === 'string' ? { code: each } : each)) as never,
    invalid: invalid.map((each) => ({ ...common(each), ...expected(each) })) as never,
  });
}

function common({ code, express = 5, mounted = false, filename, options }: Case): object {
  const isTyped = filename?.endsWith('.ts') === true;
  const isModule = isTyped || /^\s*(import|export)\b/m.test(code);
  return {
    code,
    ...(filename !== undefined && { filename }),
    ...(options !== undefined && { options: [options] }),
    settings: { 'express-hangup': { express, mounted } },
    languageOptions: isTyped
      ? { parser }
      : { sourceType: isModule ? 'module' : 'commonjs', ecmaVersion: 'latest' },
  };
}

function expected({ ids, fixed, suggested }: Reported): object {
  const errors = ids.map((messageId, index) => {
    const own = Object.entries(suggested?.[index] ?? {}).map(([id, output]) => ({ messageId: id, output }));
    return { messageId, ...(own.length > 0 && { suggestions: own }) };
  });
  return { errors, output: fixed ?? null };
}
