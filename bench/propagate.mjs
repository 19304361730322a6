// What `propagate: true` costs beside `context: true`:
//
//   npm run build && node bench/propagate.mjs [--quick] [--node <path>]
import { compareCallingServers } from './lib/calling-servers.mjs';
import { readCommandLine } from './lib/command-line.mjs';

await compareCallingServers(
  ['no call', 'global fetch', 'node:http'].flatMap((call) => [
    [`${call}, context`],
    [`${call}, context`, `${call}, context`],
    [`${call}, propagate`, `${call}, context`],
  ]),
  readCommandLine(),
);
