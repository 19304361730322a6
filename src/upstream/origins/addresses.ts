import dns from 'node:dns';
import { isIP } from 'node:net';
import type { Address, SocketOptions } from '../sockets/learning-pool';

/** How long the addresses of a name are used before they are looked up again. Node does not give the TTL of DNS. */
export const ADDRESSES_MS = 10_000;

/** The name whose addresses are to be looked up; undefined for an IP address and a Unix socket. */
export function nameOf(origin: string, { connect }: SocketOptions): string | undefined {
  if (connect.socketPath !== undefined || connect.path !== undefined) return undefined;
  const { hostname } = new URL(origin);
  return hostname.startsWith('[') || isIP(hostname) !== 0 ? undefined : hostname;
}

/** All addresses of a name, each once. Where it cannot be resolved there are none, and connecting fails with the reason. */
export function addressesOf(name: string, { connect }: SocketOptions): Promise<readonly Address[]> {
  const {
    lookup = dns.lookup,
    family,
    hints,
  } = connect as dns.LookupOptions & { lookup?: typeof dns.lookup };
  const options = {
    all: true as const,
    ...(family !== undefined && { family }),
    ...(hints !== undefined && { hints }),
  };
  return new Promise((resolve) => {
    try {
      lookup(name, options, (error: unknown, found: unknown) => resolve(error ? [] : checkAddresses(found)));
    } catch {
      resolve([]);
    }
  });
}

/** Checks the result of `lookup`: the user's own may give a single address where all were asked for. */
function checkAddresses(found: unknown): readonly Address[] {
  if (!Array.isArray(found)) return [];
  const byAddress = new Map<string, Address>();
  for (const { address, family } of found as Partial<Address>[]) {
    if (typeof address !== 'string' || isIP(address) === 0) continue;
    byAddress.set(address, { address, family: family ?? isIP(address) });
  }
  return [...byAddress.values()];
}
