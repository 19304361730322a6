import type { Server } from 'node:http';
import { inWords } from '../clock';
import type { LiveRequests } from '../requests/live-requests';
import type { OriginLog } from './origin-log';
import type { TimeoutReport } from '../report';

const SERVER = 'this server';

/** The timeouts that are known, side by side. */
export function timeoutsOf(live: LiveRequests, origins: readonly OriginLog[]): TimeoutReport[] {
  const rows = [...live.servers].flatMap(timeoutsOfServer);
  // Servers of one process are mostly set alike.
  const distinct = rows.filter((row, at) => rows.findIndex((other) => isSame(row, other)) === at);
  return [...distinct, ...deadlineRows(live), ...origins.flatMap(timeoutsOfOrigin)];
}

function timeoutsOfServer(server: Server): TimeoutReport[] {
  const { keepAliveTimeout, headersTimeout, requestTimeout, timeout } = server;
  return Object.entries({ keepAliveTimeout, headersTimeout, requestTimeout, timeout }).map(([name, ms]) => ({
    owner: SERVER,
    name,
    ms: ms === 0 ? null : ms,
    by: 'setting',
  }));
}

function deadlineRows({ deadlines: { shortestMs, longestMs } }: LiveRequests): TimeoutReport[] {
  if (longestMs === 0) return [];
  const shortest: TimeoutReport = { owner: SERVER, name: 'deadline', ms: Math.round(shortestMs), by: 'seen' };
  if (shortestMs === longestMs) return [shortest];
  return [
    { ...shortest, name: 'shortest deadline' },
    { ...shortest, name: 'longest deadline', ms: Math.round(longestMs) },
  ];
}

function timeoutsOfOrigin({ origin: owner, idle, cuts }: OriginLog): TimeoutReport[] {
  const { pool, upstream } = idle;
  const cutMs = cuts.ms;
  return [
    ...(pool ? [{ owner, name: 'our pool keeps idle sockets', ms: nullIfNever(pool.ms), by: pool.by }] : []),
    ...(upstream
      ? [{ owner, name: 'it closes idle sockets', ms: Math.round(upstream.ms), by: upstream.by }]
      : []),
    ...(cutMs === undefined
      ? []
      : [{ owner, name: 'it cuts unanswered requests', ms: Math.round(cutMs), by: 'seen' as const }]),
  ];
}

function nullIfNever(ms: number): number | null {
  return ms === Infinity ? null : Math.round(ms);
}

function isSame(a: TimeoutReport, b: TimeoutReport): boolean {
  return a.owner === b.owner && a.name === b.name && a.ms === b.ms;
}

/** What disagrees with what, in words. */
export function findingsOf(live: LiveRequests, origins: readonly OriginLog[]): string[] {
  return origins.flatMap((origin) =>
    [poolOutlivesUpstream(origin), cutBeforeDeadline(origin, live), lostOnStale(origin)].filter(
      (finding) => finding !== undefined,
    ),
  );
}

function poolOutlivesUpstream({ origin, idle: { pool, upstream } }: OriginLog): string | undefined {
  if (!pool || !upstream || pool.ms < upstream.ms) return undefined;
  const keeps = pool.ms === Infinity ? 'for ever' : `for ${inWords(pool.ms)}`;
  const verb = upstream.by === 'announced' ? 'announces that it closes' : 'closes';
  return `${origin} ${verb} idle sockets after about ${inWords(upstream.ms)}, but this process keeps them ${keeps}: a request on such a socket is lost. Give the pool a shorter idle time (http.Agent: timeout; undici: keepAliveTimeout).`;
}

function cutBeforeDeadline({ origin, cuts }: OriginLog, live: LiveRequests): string | undefined {
  const cutMs = cuts.ms;
  const { longestMs } = live.deadlines;
  if (cutMs === undefined || longestMs <= cutMs) return undefined;
  return `${origin} cuts unanswered requests after about ${inWords(cutMs)}, but deadlines here are up to ${inWords(longestMs)}: such a request ends in a 502 and not in a 504.`;
}

function lostOnStale({ origin, losses: { stale } }: OriginLog): string | undefined {
  if (stale === undefined) return undefined;
  return `${stale.lost} of ${stale.lost} requests to ${origin} were lost on sockets that had been idle for ${inWords(stale.idleMs)} or longer, 0 of ${stale.answeredYounger} on younger ones: it closes them meanwhile.`;
}
