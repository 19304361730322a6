import { setTimeout as pause } from 'node:timers/promises';
import type { ClientAccount } from '../../client/client-account';
import { clientPlan, type ClientPlan, type ClientThatHangsUpOptions } from '../../client/client-plan';
import { talkHttp1 } from '../../client/http1-client';
import { talkHttp2 } from '../../client/http2-client';
import { hasBody } from '../matrix';
import type { ConformancePlan } from '../plan';
import type { ConformanceUpstream } from '../upstream';

/** Where a run takes place. */
export interface RunPlace {
  plan: ConformancePlan;
  /** Where the app listens. */
  url: URL;
  /** `undefined` where the upstream is not ours. */
  upstream: ConformanceUpstream | undefined;
  /** What would have ended the process, or did, since the last call. */
  takeCrashes: () => Promise<string[]>;
  /** A number that no other request of the run has: `c000017`. */
  nextNumber: () => string;
}

/** A proxy passes it on, and so tells which request an attempt belongs to. */
export const CELL_HEADER = 'x-conformance-cell';

/** How long a connection is looked at once all is answered, in ms: what is wrong with it may come late. */
export const HOLD_MS = 500;

/** How long a client stays at most: longer than it may have to, so that a late answer is told from none. */
export function patienceOf({ deadline, margin }: ConformancePlan): number {
  return deadline + margin + HOLD_MS + 200;
}

/** The request with its number in it. */
export function requestOf(
  method: string,
  { route, headers, body }: ConformancePlan,
  number: string,
): ClientThatHangsUpOptions {
  const numbered = (text: string): string => text.replaceAll('{n}', number);
  const given = Object.entries(headers).map(([name, value]) => [name, numbered(value)]);
  const all = { [CELL_HEADER]: number, ...(Object.fromEntries(given) as Record<string, string>) };
  const request = { method, path: numbered(route), headers: all };
  if (!hasBody(method)) return request;
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  const type = hasType ? {} : { 'Content-Type': 'application/json' };
  return { ...request, headers: { ...type, ...all }, body: numbered(body) };
}

/** A conversation that has begun. */
export interface BegunTalk {
  /** All that was asked is answered, or the conversation is over. */
  answered: Promise<unknown>;
  /** It is over; `undefined` where the client could not connect. */
  over: Promise<ClientAccount | undefined>;
}

/** Begins to talk to the app. */
export function beginTalk(url: URL, client: ClientPlan): BegunTalk {
  const answered = deferred();
  client.onAnswered = answered.resolve;
  const talk = client.protocol === 'http2' ? talkHttp2(url, client) : talkHttp1(url, client);
  const over = talk.catch(() => undefined);
  return { over, answered: Promise.race([answered.promise, over]) };
}

/** One whole request. */
export function ask(method: string, run: RunPlace, stay = 0): BegunTalk & { number: string } {
  const { plan, url } = run;
  const number = run.nextNumber();
  const { protocol } = plan;
  const options = { ...requestOf(method, plan, number), protocol, patience: patienceOf(plan) };
  return { number, ...beginTalk(url, clientPlan({ ...options, ...(stay > 0 && { stay }) })) };
}

/** Waits until it is true, or the time has come. */
export async function until(condition: () => boolean, end: number): Promise<void> {
  while (!condition() && performance.now() < end) await pause(2);
}

/** A promise to be resolved later. */
export interface Deferred {
  promise: Promise<void>;
  resolve: () => void;
}

/** Makes one. */
export function deferred(): Deferred {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
