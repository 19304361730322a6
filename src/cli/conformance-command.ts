import { parseArgs } from 'node:util';
import { conformance } from '../testing/conformance/conformance';
import type { ConformanceResult } from '../testing/conformance/result';
import type { ConformanceOptions } from '../testing/conformance/plan';
import { faultyUpstream, type FaultyUpstream } from '../testing/upstream/faulty-upstream';

const USAGE = `Usage: express-hangup conformance URL [options]

Plays the fault matrix against a route of an app that runs, and prints what was right, wrong, or could not be seen.

  URL                  the route, http://127.0.0.1:3000/api/data
  --upstream PORT      listen on 127.0.0.1:PORT as the app's upstream and break in every way; the app must be pointed there.
                       Without it only the client's behaviours can be judged
  --deadline MS        the route's deadline as the app has set it (default 1000)
  --margin MS          how much later an answer may come (default 1500)
  --method METHOD      GET, POST, PUT, PATCH or DELETE; may be given several times (default GET and POST)
  --header 'A: b'      a header that the route needs; may be given several times
  --body TEXT          the body of a POST
  --fault NAME         only this fault; may be given several times
  --client NAME        only this client; may be given several times
  --protocol http2     talk HTTP/2 to the app (default http1)
  --json               print JSON in place of the table

Ends with 0 where no cell is wrong, with 1 where one is, with 2 where it could not run.
`;

const FROM_OUTSIDE =
  'From outside nobody sees unhandled rejections that did not end the process, or what a handler writes too late: run\n' +
  'conformance(app) in a test for these.\n';

interface Command {
  url: URL;
  options: ConformanceOptions;
  upstreamPort: number | undefined;
  json: boolean;
}

/** Where the command writes. */
interface Terminal {
  out: (text: string) => void;
  err: (text: string) => void;
}

/** Runs `express-hangup conformance …`; gives the exit code, and never throws. */
export async function conformanceCommand(args: readonly string[], { out, err }: Terminal): Promise<number> {
  let upstream: FaultyUpstream | undefined;
  try {
    const command = commandFrom(args);
    if (command === undefined) {
      out(USAGE);
      return 0;
    }
    const { url, options, upstreamPort, json } = command;
    if (upstreamPort !== undefined) {
      upstream = await faultyUpstream({ port: upstreamPort });
      options.upstream = upstream;
      err(`The upstream that fails on demand listens on ${upstream.url}.\n`);
    }
    const result = await conformance(url.origin, options);
    out(json ? `${JSON.stringify(result.json, undefined, 2)}\n` : report(result));
    return result.ok ? 0 : 1;
  } catch (error) {
    err(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  } finally {
    await upstream?.close();
  }
}

function report(result: ConformanceResult): string {
  const { right, wrong, unseen } = result;
  return `${result.table()}\n\n${right} right, ${wrong} wrong, ${unseen} not seen.\n${FROM_OUTSIDE}`;
}

function commandFrom(args: readonly string[]): Command | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      upstream: { type: 'string' },
      deadline: { type: 'string' },
      margin: { type: 'string' },
      method: { type: 'string', multiple: true },
      header: { type: 'string', multiple: true },
      body: { type: 'string' },
      fault: { type: 'string', multiple: true },
      client: { type: 'string', multiple: true },
      protocol: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true || positionals.length === 0) return undefined;
  const [target, ...rest] = positionals;
  if (target === undefined || rest.length > 0) throw new TypeError(USAGE);
  const url = new URL(target);
  const numbers = {
    deadline: numberFrom('deadline', values.deadline),
    margin: numberFrom('margin', values.margin),
  };
  const options = {
    route: `${url.pathname}${url.search}`,
    methods: values.method,
    headers: values.header && Object.fromEntries(values.header.map(headerFrom)),
    body: values.body,
    faults: values.fault,
    clients: values.client,
    protocol: values.protocol,
    ...numbers,
  };
  // The names and values themselves are checked by conformance(), in the same words as for a call from code.
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return {
    url,
    options: Object.fromEntries(given),
    upstreamPort: numberFrom('upstream', values.upstream),
    json: values.json ?? false,
  };
}

function numberFrom(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new TypeError(`--${name} is "${text}", but must be a whole number.`);
  return Number(text);
}

function headerFrom(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new TypeError(`--header is "${text}", but must be of the form 'Name: value'.`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}
