// What hangupProxy() costs over plain http-proxy-middleware with the same agent, `hangup()` standing before both, for a small GET:
//
//   npm run build && node bench/proxy.mjs [--in-memory] [--quick] [--node <path>]
import { compareCallingServers } from './lib/calling-servers.mjs';
import { IN_MEMORY, readCommandLine } from './lib/command-line.mjs';

await compareCallingServers(
  ['HPM 4', 'HPM 3'].flatMap((proxy) => [
    [`${proxy} after hangup()`],
    [`${proxy} after hangup()`, `${proxy} after hangup()`],
    [`${proxy} with hangupProxy()`, `${proxy} after hangup()`],
  ]),
  readCommandLine(IN_MEMORY),
);
