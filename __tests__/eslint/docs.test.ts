import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { recommended, rules } from 'express-hangup/eslint';
import type { Linter as ESLintLinter } from 'eslint';
import { Linter } from '../fixtures/eslint';

const docs = resolve(__dirname, '../../docs');
const repair = readFileSync(join(docs, 'repair.md'), 'utf8');
const names = Object.keys(rules);

describe('the pages of the rules', () => {
  it.each(names)('tell of %s what the rule says of itself', (name) => {
    const path = join(docs, 'rules', `${name}.md`);
    expect(existsSync(path)).toBe(true);
    const page = readFileSync(path, 'utf8').replaceAll('`', '').replace(/\s+/g, ' ');
    const description = rules[name]?.meta.docs.description;
    expect(page.toLowerCase()).toContain(description?.replaceAll(`"`, `'`).toLowerCase());
  });

  it.each(names)('are linked in the table of the repair page: %s', (name) => {
    expect(repair).toContain(`| [${name}](rules/${name}.md) |`);
  });
});

describe('recommended', () => {
  it('turns every rule on', () => {
    expect(Object.keys(recommended.rules)).toEqual(names.map((name) => `express-hangup/${name}`));
  });

  it('is a configuration that ESLint takes as it is', () => {
    const linter = new Linter();
    const code =
      "const app = require('express')();\napp.get('/x', async (req, res) => res.send(await fetch('http://x')));";
    const config = [
      recommended satisfies ESLintLinter.Config,
      { languageOptions: { sourceType: 'commonjs' } } as ESLintLinter.Config,
    ];
    const found = linter.verify(code, config).map(({ ruleId }) => ruleId);
    expect(found).toEqual([
      'express-hangup/mount-gateway-error-handler',
      'express-hangup/mount-hangup',
      'express-hangup/call-without-signal',
    ]);
  });
});
