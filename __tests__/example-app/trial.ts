import { randomUUID } from 'node:crypto';

/** What the client of one request saw, and what the lab reports of it. */
export interface Trial {
  status: number | undefined;
  body: string;
  /** As the client saw it. */
  outcome: 'complete' | 'cut' | 'left';
  report: {
    client: { status: number | null; bytes: number; outcome: string; ms: number };
    /** Whether something was being restarted meanwhile. */
    duringRestart: boolean;
    priceService: { calls: number; outcome: string; ms?: number; afterClientMs?: number };
  };
}

/** What else a client does. */
export interface Behaviour {
  post?: unknown;
  /** Hangs up as soon as the price service is at work. */
  leavesWhenAtWork?: boolean;
  /** Hangs up after so long, for want of an event to wait for. */
  leavesAfterMs?: number;
  /** Hangs up when it has so many server-sent events. */
  leavesAfterEvents?: number;
}

/** Sends what a button of the page sends, and asks the lab for its report, as the page does. */
export async function trial(url: string, path: string, behaviour: Behaviour = {}): Promise<Trial> {
  const id = randomUUID();
  const client = new AbortController();
  const leave = () => client.abort();
  const request = send(`${url}${path}?trial=${id}`, behaviour, client);
  const { leavesWhenAtWork = false, leavesAfterMs } = behaviour;
  if (leavesWhenAtWork) void fetch(`${url}/lab/trials/${id}/at-work`).then(leave);
  const timer = leavesAfterMs === undefined ? undefined : setTimeout(leave, leavesAfterMs);
  const seen = await request;
  clearTimeout(timer);
  const report = (await (await fetch(`${url}/lab/trials/${id}`)).json()) as Trial['report'];
  return { ...seen, report };
}

async function send(
  url: string,
  { post, leavesAfterEvents = Infinity }: Behaviour,
  client: AbortController,
): Promise<Omit<Trial, 'report'>> {
  const headers = { 'Content-Type': 'application/json' };
  const options = post === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(post) };
  const seen: Omit<Trial, 'report'> = { status: undefined, body: '', outcome: 'complete' };
  try {
    const response = await fetch(url, { ...options, signal: client.signal });
    seen.status = response.status;
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) {
      seen.body += decoder.decode(chunk as Uint8Array, { stream: true });
      if (seen.body.split('data:').length > leavesAfterEvents) client.abort();
    }
  } catch {
    seen.outcome = client.signal.aborted ? 'left' : 'cut';
  }
  return seen;
}
