import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { wrongArguments } from '../wrong-arguments';
import type { ConformanceExpectations, ExpectedStatus } from '../../testing/conformance/expectations';
import type { ConformanceAnswer, ConformanceOptions } from '../../testing/conformance/plan';

/** The options of the command. */
export interface CommandOptions {
  /** The address of an app that runs. */
  url: URL | undefined;
  /** How to start one that does not. */
  start: { command: string; port: number | undefined; waitMs: number } | undefined;
  /** Variables that tell the app its upstream: by name, with `{url}` in the value. */
  env: Record<string, string>;
  /** Variables that hold the URL of a TCP server. */
  tcp: readonly string[];
  upstreamPort: number | undefined;
  conformance: ConformanceOptions;
  junit: string | undefined;
  json: string | undefined;
  github: boolean;
}

const STRING = { type: 'string' } as const;
const LIST = { type: 'string', multiple: true } as const;
const FLAG = { type: 'boolean' } as const;

/** Reads the arguments; `undefined` where help is wanted. Throws a TypeError that names the flag, in words. */
export function commandOptions(args: readonly string[]): CommandOptions | undefined {
  const { values, positionals } = parsed(args);
  if (values.help === true || args.length === 0) return undefined;
  if (positionals.length > 1)
    throw new TypeError(`There is one URL too many: ${positionals.join(' ')}. Quote what has spaces.`);
  const url = positionals[0] === undefined ? undefined : urlFrom(positionals[0]);
  if ((url === undefined) === (values.start === undefined))
    throw new TypeError('Give the URL of an app that runs, or --start with the command that starts one.');
  if (url !== undefined && (values.env ?? values.tcp) !== undefined)
    throw new TypeError(
      '--env and --tcp are for --start; an app that runs is told its upstream by you: --upstream PORT.',
    );
  if (values.start !== undefined && values.upstream !== undefined)
    throw new TypeError('--upstream is for an app that runs; with --start say --env NAME.');
  const route = values.route ?? (url === undefined ? undefined : `${url.pathname}${url.search}`);
  const given = {
    ...{ route, methods: values.method, body: values.body, faults: values.fault, clients: values.client },
    ...{ protocol: values.protocol, background: values.background },
    headers: values.header && Object.fromEntries(values.header.map(headerFrom)),
    expect: values.expect && expectFrom(values.expect),
    answer: values.answer && answerFrom(values.answer),
    deadline: numberFrom('deadline', values.deadline),
    margin: numberFrom('margin', values.margin),
  };
  // The names and values themselves are checked by conformance().
  const conformance = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return {
    url,
    start: values.start === undefined ? undefined : startFrom(values.start, values.port, values.wait),
    env: Object.fromEntries((values.env ?? []).map(envFrom)),
    tcp: values.tcp ?? [],
    upstreamPort: portFrom('upstream', values.upstream),
    conformance,
    junit: values.junit,
    json: values.json,
    github: values.github ?? false,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...{ start: STRING, port: STRING, env: LIST, tcp: LIST, wait: STRING, upstream: STRING },
        ...{ route: STRING, method: LIST, header: LIST, body: STRING, answer: LIST },
        ...{ deadline: STRING, margin: STRING, expect: LIST, background: FLAG, fault: LIST, client: LIST },
        ...{ protocol: STRING, junit: STRING, json: STRING, github: FLAG },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw wrongArguments(error, 'conformance');
  }
}

function startFrom(
  command: string,
  port: string | undefined,
  wait: string | undefined,
): CommandOptions['start'] {
  return { command, port: portFrom('port', port), waitMs: numberFrom('wait', wait) ?? 30_000 };
}

function urlFrom(text: string): URL {
  if (URL.canParse(text) && /^https?:/.test(text)) return new URL(text);
  throw new TypeError(`"${text}" is no URL of an app; write it like http://127.0.0.1:3000/orders.`);
}

function envFrom(text: string): [string, string] {
  const [name = '', ...value] = text.split('=');
  if (!/^[A-Za-z_]\w*$/.test(name))
    throw new TypeError(`--env is "${text}", but must be the name of a variable, or NAME={url}/path.`);
  return [name, value.length === 0 ? '{url}' : value.join('=')];
}

function numberFrom(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new TypeError(`--${name} is "${text}", but must be a whole number.`);
  return Number(text);
}

function portFrom(name: string, text: string | undefined): number | undefined {
  const port = numberFrom(name, text);
  if (port === undefined || (port >= 1 && port <= 65_535)) return port;
  throw new RangeError(`--${name} is ${port}, but must be a port from 1 to 65535.`);
}

function headerFrom(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new TypeError(`--header is "${text}", but must be of the form 'Name: value'.`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

function expectFrom(texts: readonly string[]): ConformanceExpectations {
  const found: Record<string, ExpectedStatus[]> = {};
  for (const text of texts) {
    const [, faults = '', statuses = ''] = /^([a-z,-]+)=((?:\d{3}|2xx)(?:,(?:\d{3}|2xx))*)$/.exec(text) ?? [];
    if (faults === '')
      throw new TypeError(`--expect is "${text}", but must be of the form reset=502,503 or all=2xx.`);
    for (const fault of faults.split(','))
      found[fault] = statuses.split(',').map((status) => (status === '2xx' ? status : Number(status)));
  }
  return found;
}

function answerFrom(texts: readonly string[]): ConformanceAnswer {
  const answers = texts.map((text) => {
    const [, path, file = text] = /^(\/[^=]*)=(.+)$/.exec(text) ?? [];
    return { path, body: contentOf(file) };
  });
  // A path is meant before the answer for all of them.
  const inOrder = [...answers].sort((a, b) => (b.path?.length ?? 0) - (a.path?.length ?? 0));
  return (attempt) =>
    inOrder.find(({ path }) => path === undefined || attempt.path.startsWith(path))?.body ?? { ok: true };
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new TypeError(`--answer: "${file}" cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

const FLAG_WORDS: readonly [RegExp, string][] = [
  [/conformance\(\): (faults|clients|methods) is/g, '--$1 is'],
  [/--(fault|client|method)s is/g, '--$1 is'],
  [/conformance\(\): (route|deadline|margin|protocol) is/g, '--$1 is'],
  [/conformance\(\): expect\["([\w-]+)"\]/g, '--expect $1'],
  [/methods: \['GET'\]/g, '--method GET'],
  [/set `answer` to/g, 'give --answer with'],
  [/give `upstream`/g, 'give --env (with --start) or --upstream'],
  [/Give upstream, or say faults: \['ok'\]/g, 'Give --env (with --start) or --upstream, or say --fault ok'],
  [/point the app at a faultyUpstream\(\) and give it as `upstream`/g, 'give --env or --upstream'],
  [/headers: \{ '?([\w-]+)'?: '([^']*)' \}/g, "--header '$1: $2'"],
  [/or \{ Cookie: '…' \}/g, "or --header 'Cookie: …'"],
  [
    /start it with faultyUpstream\(\{ protocol: 'http2' \}\)/g,
    'run conformance() in a test with one of HTTP/2',
  ],
  [/Set route to/g, 'Set --route to'],
  [/Set route, headers and body/g, 'Set --route, --header and --body'],
  [/faultyTcp\(\): target/g, '--tcp: the target'],
  [/conformance\(\): /g, ''],
];

/** The words of the functions in those of the command line. */
export function inFlags(message: string): string {
  return FLAG_WORDS.reduce((text, [pattern, words]) => text.replace(pattern, words), message);
}
