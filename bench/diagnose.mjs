// What diagnose() costs for each request of an Express app that calls an upstream, as in production (without `where`) and as in
// development (with it), beside the same app without it. "empty listeners" is Node's and undici's own price for a subscriber.
//
//   npm run build && node bench/diagnose.mjs [--quick] [--only "HPM 4"|fetch|node:http] [--node <path>]
//   npm run build && node bench/diagnose.mjs --in-memory [--quick] [--node <path>]    the proxy alone, without connections: the
//                                                     kernel adds nothing, and the error is a quarter of that with connections
import { compareCallingServers } from './lib/calling-servers.mjs';
import { IN_MEMORY, readCommandLine } from './lib/command-line.mjs';

const { only, ...commandLine } = readCommandLine({ only: { type: 'string', default: '' }, ...IN_MEMORY });

await compareCallingServers(
  ['HPM 4 with hangupProxy()', 'global fetch', 'node:http']
    .filter((call) => call.includes(commandLine['in-memory'] ? 'HPM' : only))
    .flatMap((call) => [
      [call],
      [call, call],
      [`${call}, empty listeners`, call],
      [`${call}, diagnose() on`, call],
      [`${call}, diagnose() on`, `${call}, empty listeners`],
      [`${call}, diagnose() on, with where`, call],
    ]),
  commandLine,
);
