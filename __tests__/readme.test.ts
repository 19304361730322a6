import diagnostics from 'node:diagnostics_channel';
import http from 'node:http';
import express5, { type Express } from 'express';
import type { DiagnoseOptions } from 'express-hangup/diagnose';
import ts from 'typescript';
import { codeBlocksOf, documentText } from './fixtures/documents';
import { nativeRequire } from './fixtures/native-require';
import { expressVersions, listen } from './fixtures/serve';

const readme = documentText('README.md');
/** With a PostgreSQL, and asked for all of their paths: ecosystem/tests/documents/examples.test.mjs. */
const blocks = codeBlocksOf(readme).filter(
  ({ language, code }) => language === 'js' && !code.includes('express-hangup/pg'),
);

/** What takes back what an example has begun in this process: other tests run in it, too. */
const takeBack: (() => void)[] = [];

afterEach(() => {
  for (const each of takeBack.splice(0)) each();
});

const OF_THE_PACKAGE: Record<string, () => unknown> = {
  'node:diagnostics_channel': () => ({
    subscribe(name: string, listener: diagnostics.ChannelListener) {
      diagnostics.subscribe(name, listener);
      takeBack.push(() => diagnostics.unsubscribe(name, listener));
    },
  }),
  'express-hangup': () => jest.requireActual<object>('express-hangup'),
  'express-hangup/diagnose': () => {
    const actual = jest.requireActual<typeof import('express-hangup/diagnose')>('express-hangup/diagnose');
    return {
      ...actual,
      // Without the file, which would be written to this directory.
      diagnose({ file: _file, ...options }: DiagnoseOptions = {}) {
        const diagnosis = actual.diagnose(options);
        takeBack.push(() => diagnosis.stop());
        return diagnosis;
      },
    };
  },
  'express-hangup/proxy': () => jest.requireActual<object>('express-hangup/proxy'),
  'express-hangup/upstream': () => jest.requireActual<object>('express-hangup/upstream'),
};

/** Runs a block as a file of an app would run it; what it says about an app of the reader's own is given to it. */
function run(
  code: string,
  { express = express5, upstream = '' } = {},
): { app: Express; server?: http.Server } {
  const signals = process.listeners('SIGTERM');
  takeBack.push(() => {
    for (const listener of process.listeners('SIGTERM')) {
      if (!signals.includes(listener)) process.off('SIGTERM', listener);
    }
  });
  const result: { app: Express; server?: http.Server } = { app: express() };
  const listening = (app: Express): Express => {
    app.set('env', 'test');
    app.listen = (): http.Server => {
      result.app = app;
      return (result.server = http.createServer(app));
    };
    return app;
  };
  listening(result.app);
  const given = {
    ...(jest.requireActual<object>('express-hangup') as Record<string, unknown>),
    app: result.app,
    console: { log: () => undefined, warn: () => undefined },
    ...{ report: () => undefined, events: () => undefined, exportAll: () => undefined },
    ...{ PRICES: upstream, openai: {}, question: {}, axios: nativeRequire('axios') },
  };
  const load = (name: string): unknown =>
    name === 'express' ? () => listening(express()) : (OF_THE_PACKAGE[name]?.() ?? nativeRequire(name));
  const { outputText } = ts.transpileModule(
    code.replaceAll('http://127.0.0.1:3001', upstream || 'http://127.0.0.1:3001'),
    {
      compilerOptions: {
        module: ts.ModuleKind.CommonJS,
        target: ts.ScriptTarget.ES2022,
        esModuleInterop: true,
      },
    },
  );
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the example is what is tried
  const file = new Function('require', 'exports', ...Object.keys(given), `{ ${outputText} }`) as (
    ...args: unknown[]
  ) => void;
  file(load, {}, ...Object.values(given));
  return result;
}

const upstreams = {
  'that answers': (_req: http.IncomingMessage, res: http.ServerResponse) => res.end('{"well":true}'),
  'that resets': (req: http.IncomingMessage) => req.socket.resetAndDestroy(),
};

describe('the README', () => {
  it('has at most 250 lines', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(250);
  });

  it('names each of its sections in its contents', () => {
    const contents = readme.slice(0, readme.indexOf('## '));
    const headings = [...readme.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);
    const anchors = headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w ]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const anchor of anchors) expect(contents).toContain(`](#${anchor})`);
  });

  it.each(blocks.map((block) => [block.heading, block] as const))(
    'has an example that runs: %s',
    (_heading, { code }) => {
      const signals = process.listeners('SIGTERM');
      expect(() => run(code)).not.toThrow();
      for (const listener of process.listeners('SIGTERM')) {
        if (!signals.includes(listener)) process.off('SIGTERM', listener);
      }
    },
  );

  it.each([
    ['the first', 'express-hangup', express5, 'that answers', 200],
    ['the first', 'express-hangup', express5, 'that resets', 502],
    ['the one for Express 4', 'Express 4', expressVersions[1][1], 'that answers', 200],
    ['the one for Express 4', 'Express 4', expressVersions[1][1], 'that resets', 502],
  ] as const)(
    'has an example, %s (%s), that answers as it says',
    async (_which, heading, express, behaviour, status) => {
      const upstream = await listen(http.createServer(upstreams[behaviour]));
      const block = blocks.find((candidate) => candidate.heading === heading);
      const { server } = run(block?.code ?? '', { express, upstream: upstream.url });
      const { url } = await listen(server as http.Server);
      const response = await fetch(`${url}/api/data`, { headers: { Connection: 'close' } });
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject(
        status === 200 ? { well: true } : { code: 'UPSTREAM_RESET' },
      );
    },
  );
});
