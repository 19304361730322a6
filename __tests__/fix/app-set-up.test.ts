import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repairAll } from '../../src/cli/fix/fix-command';
import { loadPartners } from '../../src/cli/fix/project/partners';
import { openProject } from '../../src/cli/fix/project/project';

const MANIFEST = '{ "name": "shop", "dependencies": { "express": "^5.0.0", "express-ws": "^5.0.0" } }\n';
const NO_CHOICE = { only: [], skip: [], deadline: undefined, context: false };
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'express-hangup-set-up-')));
const partners = loadPartners(join(__dirname, '../..'), folder);
let count = 0;

afterAll(() => rmSync(folder, { recursive: true }));

/** What `fix` makes of the first of some files, and what it says of `gatewayErrorHandler()` where it does not mount it. */
function repaired(files: Record<string, string>): { after: string; told: string } {
  const root = join(folder, `app-${(count += 1)}`);
  for (const [file, text] of Object.entries({ 'package.json': MANIFEST, ...files })) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  const [first = ''] = Object.keys(files);
  const paths = Object.keys(files).map((file) => join(root, file));
  const { outcomes, left } = repairAll(openProject(paths, root, partners, NO_CHOICE));
  const told = left.filter(({ file, rule }) => file === first && rule === 'mount-gateway-error-handler');
  const { after = '' } = outcomes.get(join(root, first)) ?? {};
  return { after, told: told.map(({ message }) => message).join('\n') };
}

/** The line before and the line after the one that mounts the error handler. */
function neighbours(text: string): (string | undefined)[] {
  const lines = text.split('\n').map((line) => line.trim());
  const at = lines.findIndex((line) => /\.use\(gatewayErrorHandler\(\)\)/.test(line));
  return at === -1 ? [] : [lines[at - 1], lines[at + 1]];
}

const main = (body: string, imports = ''): string =>
  `import express from 'express';\n${imports}\nconst app = express();\n${body}\napp.listen(3000);\n`;
const ROUTES = `import { orders } from './orders.js';\nexport function initRoutes(server) {\n  server.get('/orders', orders);\n}\n`;
const WITH_ERRORS = ROUTES.replace(
  '\n}\n',
  '\n  server.use((err, req, res, next) => res.status(500).end());\n}\n',
);
const CALL = 'initRoutes(app);';
const FROM_FILE = `import { initRoutes } from './routes.js';`;
const server = (setup: string, methods = '', fields = 'app;'): string =>
  `import express from 'express';\nimport { Routes } from './routes';\nclass Server {\n  ${fields}\n  constructor() {\n${setup}\n  }\n${methods}\n}\nnew Server();\n`;

describe('fix mounts gatewayErrorHandler()', () => {
  it.each<[title: string, files: Record<string, string>, before: string, after: string]>([
    [
      'behind an imported function that adds routes only',
      { 'app.js': main(CALL, FROM_FILE), 'routes.js': ROUTES },
      CALL,
      'app.listen(3000);',
    ],
    [
      'behind a function of a package',
      { 'app.js': main('expressWs(app);', `import expressWs from 'express-ws';`) },
      'expressWs(app);',
      'app.listen(3000);',
    ],
    [
      'behind what is made with new and gets the app',
      {
        'app.js': main("app.use('/a', a);\nnew Routes(app);", `import { Routes } from './routes.js';`),
        'routes.js': `export class Routes {\n  constructor(app) {\n    app.get('/orders', show);\n  }\n}\n`,
      },
      'new Routes(app);',
      'app.listen(3000);',
    ],
    [
      'behind a declaration that hands the app on',
      { 'app.js': main(`app.use('/a', a);\nconst routes = ${CALL}`, FROM_FILE), 'routes.js': ROUTES },
      `const routes = ${CALL}`,
      'app.listen(3000);',
    ],
    [
      'behind a method of another object that gets the app of a class',
      {
        'app.ts': server(
          'this.app = express();\nthis.app.use(express.json());\nthis.routes.mount(this.app);',
          '',
          'app: express.Application;\n  routes = new Routes();',
        ),
        'routes.ts': `export class Routes {\n  mount(app: any) {\n    app.get('/orders', show);\n  }\n}\n`,
      },
      'this.routes.mount(this.app);',
      '}',
    ],
    [
      'before the error handlers at the end of a method',
      {
        'app.js': server(
          'this.app = express();\nthis.config();',
          'config() {\n    this.app.use(routes);\n    this.app.use(errorMiddleware);\n  }',
        ),
      },
      'this.app.use(routes);',
      'this.app.use(errorMiddleware);',
    ],
    [
      'before a method that mounts error handlers, whatever it is called',
      {
        'app.js': server(
          'this.app = express();\nthis.config();\nthis.last();\nthis.start();',
          'config() {\n    this.app.use(routes);\n  }\n  last() {\n    this.app.use(errorMiddleware);\n  }\n  start() {\n    this.app.listen(80);\n  }',
        ),
      },
      'this.config();',
      'this.last();',
    ],
    [
      'before error handlers that a named handler for unknown paths follows',
      { 'app.js': main("app.get('/x', show);\napp.use(errorHandler);\napp.use(notFound);") },
      "app.get('/x', show);",
      'app.use(errorHandler);',
    ],
    [
      'before error handlers that a function for unknown paths follows',
      { 'app.js': main("app.get('/x', show);\napp.use(errorHandler);\nnotFoundHandler(app);") },
      "app.get('/x', show);",
      'app.use(errorHandler);',
    ],
    [
      'on an app that is exported where it is made',
      {
        'app.js':
          "const express = require('express');\nconst app = module.exports = express();\napp.get('/x', show);\napp.listen(80);\n",
      },
      "app.get('/x', show);",
      'app.listen(80);',
    ],
    [
      'in the one method that adds all, whoever calls it',
      {
        'app.js': server(
          'this.app = express();',
          'async config() {\n    await ready;\n    this.app.use(routes);\n    this.app.use(errorMiddleware);\n  }\n  listen() {\n    this.app.listen(80);\n  }',
        ),
      },
      'this.app.use(routes);',
      'this.app.use(errorMiddleware);',
    ],
    [
      'in the one method that calls those which add something',
      {
        'app.js': server(
          'this.app = express();',
          'init() {\n    this.routes();\n    this.errors();\n  }\n  routes() {\n    this.app.use(routes);\n  }\n  errors() {\n    this.app.use(onError);\n  }\n  start() {\n    this.init();\n    this.app.listen(80);\n  }',
        ),
      },
      'this.routes();',
      'this.errors();',
    ],
    [
      'on an app in a field that is set where it is declared',
      {
        'app.js': server(
          'this.routes();',
          "routes() {\n    this.app.get('/x', show);\n  }",
          'app = express();',
        ),
      },
      'this.routes();',
      '}',
    ],
  ])('%s', (_, files, before, after) => {
    const { after: text, told } = repaired(files);
    expect({ told, at: neighbours(text) }).toEqual({ told: '', at: [before, after] });
  });
});

describe('fix does not mount gatewayErrorHandler(), and says why,', () => {
  it.each<[title: string, files: Record<string, string>, why: string]>([
    [
      'where an imported function mounts error handlers',
      { 'app.js': main(CALL, FROM_FILE), 'routes.js': WITH_ERRORS },
      'by hand in `initRoutes()`, before the error handlers there',
    ],
    [
      'where an imported function hands the app on to one that mounts them',
      {
        'app.js': main('await load({ expressApp: app });', `import load from './loaders/index.js';`),
        'loaders/index.js': `import http from './http.js';\nexport default async ({ expressApp }) => {\n  await http({ app: expressApp });\n};\n`,
        'loaders/http.js': `export default ({ app }) => {\n  app.use('/api', routes);\n  app.use((err, req, res, next) => res.end());\n};\n`,
      },
      'by hand in `load()`, before the error handlers there',
    ],
    [
      'where a function by a path alias may mount them',
      { 'app.js': main(CALL, `import { initRoutes } from '@/routes';`) },
      'in `initRoutes()` if that mounts error handlers, before them, else behind its call: it was not read',
    ],
    [
      'where a method of a class of another file mounts them',
      {
        'app.ts': server('this.app = express();\nnew Routes(this.app);', '', 'app: express.Application;'),
        'routes.ts': `export class Routes {\n  constructor(app: any) {\n    app.use('/x', x);\n    app.use(errorHandler);\n  }\n}\n`,
      },
      'by hand in `Routes()`, before the error handlers there',
    ],
    [
      'where the field is set more than once',
      {
        'app.js': server(
          'this.express = express();\nthis.mount();',
          'mount() {\n    this.express = Routes.mount(this.express);\n  }',
          'express;',
        ),
      },
      'in `Routes.mount()` if that mounts error handlers',
    ],
    [
      'where a method adds routes later',
      {
        'app.js': server(
          'this.app = express();\nthis.routes();',
          "routes() {\n    connect().then(() => this.app.get('/x', show));\n  }",
        ),
      },
      'the order in which they are added is not seen',
    ],
    [
      'where routes are added behind error handlers',
      { 'app.js': main("app.get('/x', show);\napp.use(errorHandler);\napp.get('/y', show);") },
      'before the first error handler, and once more behind all routes',
    ],
    [
      'where the one method that adds the rest has no error handlers, behind which others may add routes',
      {
        'app.js': server('this.app = express();', "config() {\n    this.app.get('/x', show);\n  }"),
      },
      'the order in which they are added is not seen',
    ],
    [
      'where two methods add something, and nothing calls them in an order',
      {
        'app.js': server(
          'this.app = express();',
          'routes() {\n    this.app.use(routes);\n  }\n  more() {\n    this.app.use(more);\n  }',
        ),
      },
      'the order in which they are added is not seen',
    ],
    [
      'where an async method hands the app to a server that adds routes',
      {
        'app.js': server(
          'this.app = express();\nthis.routes();\nthis.apollo();\nthis.onErrors();',
          "routes() {\n    this.app.get('/x', show);\n  }\n  async apollo() {\n    await apolloServer.start();\n    apolloServer.applyMiddleware({ app: this.app });\n  }\n  onErrors() {\n    this.app.use(onError);\n  }",
        ),
      },
      'the order in which they are added is not seen',
    ],
    [
      'where async methods add routes',
      {
        'app.js': server(
          'this.app = express();\nthis.routes();\nthis.more();',
          "async routes() {\n    await ready;\n    this.app.get('/x', show);\n  }\n  async more() {\n    await ready;\n    this.app.get('/y', show);\n  }",
        ),
      },
      'the order in which they are added is not seen',
    ],
  ])('%s', (_, files, why) => {
    const { after, told } = repaired(files);
    expect(neighbours(after)).toEqual([]);
    expect(told).toContain(why);
  });
});

describe('fix mounts hangup()', () => {
  it('first in the constructor, where the app is made in a field', () => {
    const { after } = repaired({
      'app.js': server(
        'super();\nthis.routes();',
        "routes() {\n    this.app.get('/x', show);\n  }",
        'app = express();',
      ).replace('class Server', 'class Server extends Base'),
    });
    expect(after).toContain('super();\nthis.app.use(hangup());\nthis.routes();');
  });

  it('not where another field is made with the app before the constructor runs', () => {
    const { after } = repaired({
      'app.js': server('this.start();', '', 'app = express();\n  routes = new Routes(this.app);'),
    });
    expect(after).not.toContain('hangup()');
  });
});

describe('fix sees the app', () => {
  it('in a file that imports types of Express before Express itself', () => {
    const types = `import type { Request, Response } from 'express';\n`;
    const route = `app.get('/x', async (req: Request, res: Response) => {\n  await fetch('http://127.0.0.1:1');\n  res.end();\n});`;
    const { after } = repaired({ 'app.ts': `${types}${main(route)}` });
    expect(after).toContain(`fetch('http://127.0.0.1:1', { signal: req.signal })`);
  });
});

describe('a line that fix adds', () => {
  it('is declared with var in a file of var', () => {
    const { after } = repaired({
      'app.js': `var express = require('express');\nvar app = express();\napp.get('/x', show);\napp.listen(80);\n`,
    });
    expect(after).toContain(`var { hangup, gatewayErrorHandler } = require('express-hangup');`);
    expect(after).not.toContain('const');
  });

  it('is declared with const in a file that has one', () => {
    const { after } = repaired({
      'app.js': `var express = require('express');\nconst app = express();\napp.get('/x', show);\napp.listen(80);\n`,
    });
    expect(after).toContain(`const { hangup, gatewayErrorHandler } = require('express-hangup');`);
  });
});
