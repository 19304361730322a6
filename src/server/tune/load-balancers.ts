/** A front end's default timeouts, in milliseconds. */
export interface FrontEnd {
  /** Its name in findings. */
  name: string;
  /** How long it keeps an idle connection to this server before it closes it. */
  idleMs: number;
  /** How long it waits for an answer before it sends its own 502 or 504; `Infinity` if there is no such limit. */
  responseMs: number;
}

/** The front ends that `tuneServer()` knows by name. */
export type LoadBalancer = 'alb' | 'gclb' | 'nginx' | 'haproxy' | 'heroku' | 'envoy';

/** Their documented defaults. `docs/timeouts.md` has the sources, and is tested against this table. */
export const FRONT_ENDS: Readonly<Record<LoadBalancer, FrontEnd>> = {
  // AWS, Application Load Balancers: connection idle timeout 60 s, for both sides and for the answer.
  alb: { name: "AWS's application load balancer", idleMs: 60_000, responseMs: 60_000 },
  // Google Cloud, external Application Load Balancer: backend HTTP keep-alive 600 s (fixed), backend service timeout 30 s.
  gclb: { name: "Google Cloud's load balancer", idleMs: 600_000, responseMs: 30_000 },
  // nginx, ngx_http_upstream_module keepalive_timeout and ngx_http_proxy_module proxy_read_timeout: 60 s each.
  nginx: { name: 'nginx', idleMs: 60_000, responseMs: 60_000 },
  // HAProxy has no defaults; Debian's package sets `timeout client` and `timeout server` to 50 s. An idle
  // connection to the server stays open while its client is connected. After that the pool closes it within three
  // `pool-purge-delay` of 5 s (measured with 2.6).
  haproxy: { name: 'HAProxy', idleMs: 65_000, responseMs: 50_000 },
  // Heroku, HTTP routing: kept connections to dynos 90 s, first byte within 30 s (H12).
  heroku: { name: "Heroku's router", idleMs: 90_000, responseMs: 30_000 },
  // Envoy: HttpProtocolOptions.idle_timeout 1 h, RouteAction.timeout 15 s.
  envoy: { name: 'Envoy', idleMs: 3_600_000, responseMs: 15_000 },
};
