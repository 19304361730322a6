// One request as a client sees it, and then what the lab knows of its other side.

/** How long the page waits for an answer to be complete. */
export const PATIENCE_MS = 2500;

/**
 * Sends a trouble's request by the path of one side. Resolves to what came: `outcome` is 'complete', 'cut', 'left' (as
 * told) or 'gave up'; `behind` tells what became of the call to the price service.
 */
export async function exchange(trouble, side) {
  const trial = window.crypto.randomUUID();
  const client = new AbortController();
  const leave = (why) => client.abort(why);
  const timers = [setTimeout(leave, PATIENCE_MS, 'gave up')];
  if (trouble.leaveAfterMs !== undefined) timers.push(setTimeout(leave, trouble.leaveAfterMs, 'left'));

  const seen = { status: null, reason: '', body: '', events: 0 };
  const startedAt = performance.now();
  const outcome = await request(`${side.path}${trouble.path}?trial=${trial}`, trouble, seen, client);
  const ms = performance.now() - startedAt;
  timers.forEach(clearTimeout);
  return { ...seen, outcome, ms, ...(await behindTheGateway(trial)) };
}

async function request(url, { post, leaveAfterEvents = Infinity }, seen, client) {
  const options = post && {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(post),
  };
  try {
    const answer = await fetch(url, { ...options, cache: 'no-store', signal: client.signal });
    seen.status = answer.status;
    seen.reason = answer.statusText;
    const decoder = new TextDecoder();
    for (const reader = answer.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) return 'complete';
      seen.body += decoder.decode(value, { stream: true });
      seen.events = seen.body.match(/^data:/gm)?.length ?? 0;
      if (seen.events >= leaveAfterEvents) client.abort('left');
    }
  } catch {
    return client.signal.aborted ? client.signal.reason : 'cut';
  }
}

async function behindTheGateway(trial) {
  const answer = await fetch(`/lab/trials/${trial}`);
  if (!answer.ok) return { behind: 'unknown' };
  const { priceService } = await answer.json();
  return {
    behind: priceService.outcome,
    behindMs: priceService.ms,
    afterClientMs: priceService.afterClientMs,
  };
}
