/** The two slots for a version in HAProxy's backend. One serves, the other waits for the next version. */
export const SLOTS = ['blue', 'green'] as const;

/** One of the two slots. */
export type Slot = (typeof SLOTS)[number];

/** The other slot. */
export function otherSlot(slot: Slot | undefined): Slot {
  return slot === 'blue' ? 'green' : 'blue';
}

/**
 * The configuration that `rollout init` writes for HAProxy. Its comments explain what HAProxy's documentation does
 * not.
 */
export function haproxyConfig(directory: string, port: number): string {
  return `# Written by "express-hangup rollout init". Yours to change; start it with: haproxy -W -f ${directory}/haproxy.cfg
global
  # "rollout" speaks to HAProxy here. Who may write to it may shift the traffic.
  stats socket ${directory}/haproxy.sock mode 600 level admin
  # Which version serves, for HAProxy's next start or reload. "rollout" writes it.
  server-state-file ${directory}/servers.state

defaults
  mode http
  load-server-state-from-file global
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  # A connection that is refused is tried again, on the other version where that serves, too.
  option redispatch 1
  retries 3

frontend front
  bind :${port}
  default_backend app

backend app
  # While a new version is on trial it gets GET and HEAD only, and what fails there is asked again of the old one:
  # nobody sees it. Everything else stays with the old version: a POST that failed must not be repeated, and a WebSocket
  # or a stream of events would be cut if the new version is taken back.
  acl on-trial str(trial),map(${directory}/slots.map) -m str on
  acl safe method GET HEAD
  acl standing hdr(upgrade) -m found
  acl standing hdr(accept) -m sub text/event-stream
  acl stable-blue str(stable),map(${directory}/slots.map) -m str blue
  http-request disable-l7-retry if !on-trial || !safe || standing
  retry-on conn-failure empty-response 500 502 503 504
  use-server blue if on-trial !safe stable-blue || on-trial standing stable-blue
  use-server green if on-trial !safe !stable-blue || on-trial standing !stable-blue
  # No health checks: "rollout" asks a new version itself. Addresses come from the runtime API.
  server blue 127.0.0.1:1 disabled
  server green 127.0.0.1:1 disabled
`;
}

/** The map file of that configuration, as it is before the first rollout. */
export function slotsMap(stable: Slot, isOnTrial: boolean): string {
  return `stable ${stable}\ntrial ${isOnTrial ? 'on' : 'off'}\n`;
}
