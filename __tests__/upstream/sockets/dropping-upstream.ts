import {
  faultyUpstream,
  type Fault,
  type FaultyUpstream,
  type UpstreamAttempt,
} from 'express-hangup/testing';

/** How long the upstreams here keep a socket that is not used. */
export const DROP_MS = 300;

export interface DroppingUpstream {
  origin: string;
  /** How often each id was processed: the path is the id. */
  processed: Map<string, number>;
  readonly opened: number;
}

const running = new Set<FaultyUpstream>();
afterEach(async () => {
  await Promise.all([...running].map((upstream) => upstream.close()));
  running.clear();
});

/** Counts what is processed until the test is over; `fault` says what becomes of a request. */
async function droppingUpstream(fault: (attempt: UpstreamAttempt) => Fault): Promise<DroppingUpstream> {
  const processed = new Map<string, number>();
  const upstream = await faultyUpstream({
    fault: (attempt) => {
      const chosen = fault(attempt);
      // What comes when the socket is closed is read, and not processed.
      if (chosen !== 'reset' && attempt.socket.closed === undefined)
        processed.set(attempt.path, (processed.get(attempt.path) ?? 0) + 1);
      return chosen;
    },
  });
  running.add(upstream);
  return {
    origin: upstream.origin,
    processed,
    get opened() {
      return upstream.connections.length;
    },
  };
}

/**
 * Like a load balancer that has forgotten a connection: an unused socket stays open, and who uses it after 300 ms is reset.
 * No client can see it coming.
 */
export function forgetfulUpstream(): Promise<DroppingUpstream> {
  return droppingUpstream(({ socketIdle }) => (socketIdle > DROP_MS ? 'reset' : { fault: 'ok', body: 'ok' }));
}

/** Closes an unused socket after 300 ms, whether or not a request is on its way. */
export function punctualUpstream({ hint }: { hint: boolean }): Promise<DroppingUpstream> {
  const headers = hint ? { 'keep-alive': `timeout=${Math.floor(DROP_MS / 1000)}` } : {};
  return droppingUpstream(() => ({ fault: 'idle-close', ms: DROP_MS, headers, body: 'ok' }));
}
