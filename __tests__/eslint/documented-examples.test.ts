import { rules } from 'express-hangup/eslint';
import { codeBlocksOf, documentText } from '../fixtures/documents';
import { Linter } from '../fixtures/eslint';

const APP = `const express = require('express');
const { classifyError, hangup } = require('express-hangup');
const app = express();
app.use(hangup());
`;
const HANDLER = `${APP}app.get('/orders', async (req, res, next) => {\n`;

/** What stands around the example of a rule's page: the file, up to the example and after it. */
const FILES: Record<string, [before: string, after: string]> = {
  'call-without-signal': [APP, ''],
  'catch-hides-fault': [
    `${HANDLER}try { res.json(await (await fetch('http://127.0.0.1:3001')).json());\n`,
    '});',
  ],
  'drain-on-sigterm': [`${APP}const server = app.listen(3000);\n`, ''],
  'guard-async-handler': [APP, ''],
  'keep-alive-agent': ["const http = require('http');\n", ''],
  'mount-gateway-error-handler': [APP, ''],
  'mount-hangup': ["const express = require('express');\n", ''],
  'no-abort-snippet': [HANDLER, '});'],
  'no-connect-timeout': ["const app = require('express')();\n", ''],
  'no-express-timeout-handler': [
    "const app = require('express')();\nconst timeout = require('express-timeout-handler');\n",
    '',
  ],
  'no-request-close': [HANDLER, '});'],
  'service-without-signal': ["const axios = require('axios');\n", ''],
  'wrap-proxy': [`${APP}const { createProxyMiddleware } = require('http-proxy-middleware');\n`, ''],
};

/** What the fix, or each of the suggestions, makes of a file; the file itself where nothing is found. */
function repaired(rule: string, code: string): string[] {
  const config = {
    plugins: { own: { rules } },
    rules: { [`own/${rule}`]: 'error' },
    settings: { 'express-hangup': { express: rule === 'guard-async-handler' ? 4 : 5 } },
    languageOptions: { sourceType: 'commonjs', ecmaVersion: 'latest' },
  };
  const [found] = new Linter().verify(code, [config as never], { filename: 'app.js' });
  const fixes = found?.fix ? [found.fix] : (found?.suggestions ?? []).map(({ fix }) => fix);
  return fixes.map(({ range: [start, end], text }) => code.slice(0, start) + text + code.slice(end));
}

/** Without comments, and with a single space wherever there is white space. */
const plain = (code: string): string =>
  code
    .replace(/ \/\/ .*$/gm, '')
    .replace(/\s+/g, ' ')
    .trim();

describe('the examples on the pages of the rules', () => {
  it.each(Object.keys(rules))('are what the rule makes of them: %s', (rule) => {
    const blocks = codeBlocksOf(documentText(`docs/rules/${rule}.md`));
    const [before = '', after = ''] = blocks
      .filter(({ language }) => language === 'js')
      .map(({ code }) => code);
    const [start = '', end = ''] = FILES[rule] ?? [];
    const results = repaired(rule, `${start}${before}${end}`).map(plain);
    // Where there is a choice, each line is one of them; a name that was added stands further up.
    const parts = after.trim().split(results.length > 1 ? '\n' : '\n\n');
    expect(results.length).toBeGreaterThan(0);
    expect(parts.map(plain).filter((part) => !results.some((result) => result.includes(part)))).toEqual([]);
  });
});
