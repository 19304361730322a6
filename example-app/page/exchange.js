// One request as a client sees it, and then what the lab knows of its other side.

/** How long the page waits for an answer to be complete. */
export const PATIENCE_MS = 2500;

/**
 * Sends a trouble's request by the path of one side. Resolves to what came: `outcome` is 'complete', 'cut', 'left' (as
 * told) or 'gave up'; `behind` tells what became of the call to the price service, `duringRestart` whether something was being
 * restarted meanwhile.
 */
export async function exchange(trouble, side) {
  const trial = window.crypto.randomUUID().slice(0, 8);
  const client = new AbortController();
  const patience = setTimeout(() => client.abort('gave up'), PATIENCE_MS);
  const seen = { status: null, reason: '', body: '', events: 0 };
  const startedAt = performance.now();
  const request = send(`${side.path}${trouble.path}?trial=${trial}`, trouble, seen, client);
  if (trouble.leaveAfterMs !== undefined) leave(trial, trouble.leaveAfterMs, client);
  const outcome = await request;
  const ms = performance.now() - startedAt;
  clearTimeout(patience);
  return { ...seen, outcome, ms, ...(await behindTheGateway(trial)) };
}

/** Hangs up `ms` after the price service has begun: when there is something to stop. */
async function leave(trial, ms, client) {
  await fetch(`/lab/trials/${trial}/at-work`).catch(() => undefined);
  setTimeout(() => client.abort('left'), ms);
}

async function send(url, { post, leaveAfterEvents = Infinity }, seen, client) {
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
    const reader = answer.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      seen.body += decoder.decode(part.value, { stream: true });
      seen.events = seen.body.match(/^data:/gm)?.length ?? 0;
      if (seen.events >= leaveAfterEvents) client.abort('left');
    }
    return 'complete';
  } catch {
    return client.signal.aborted ? client.signal.reason : 'cut';
  }
}

async function behindTheGateway(trial) {
  const answer = await fetch(`/lab/trials/${trial}`).catch(() => undefined);
  if (!answer?.ok) return { behind: 'unknown' };
  const { priceService, duringRestart } = await answer.json();
  return {
    duringRestart,
    behind: priceService.outcome,
    behindMs: priceService.ms,
    afterClientMs: priceService.afterClientMs,
  };
}
