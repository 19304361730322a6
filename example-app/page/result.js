// How a result looks: what the client got, when, what became of the call behind the gateway, and whether that was honest.

export const milliseconds = (ms) => `${Math.round(ms).toLocaleString('en')} ms`;

/** Shows that a request is under way; gives the function that ends that. */
export function showWaiting(place, sideName) {
  place.replaceChildren(copyOf('waiting'));
  place.dataset.verdict = 'waiting';
  fill(place, { side: sideName });
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const ms = performance.now() - startedAt;
    fill(place, { ms: milliseconds(ms) });
    place.querySelector('progress').value = ms;
  }, 50);
  return () => clearInterval(timer);
}

/** 'honest', 'wrong', or 'disturbed' where a restart was under way, which makes every answer possible. */
export function verdictOf(trouble, result) {
  if (trouble.isHonest(result)) return 'honest';
  return result.duringRestart ? 'disturbed' : 'wrong';
}

/** Shows what came of it. */
export function showResult(place, sideName, trouble, result) {
  const verdict = verdictOf(trouble, result);
  place.replaceChildren(copyOf('result'));
  place.dataset.verdict = verdict;
  fill(place, {
    side: sideName,
    badge: badge(result),
    what: what(result),
    ms: milliseconds(result.ms),
    body: result.body.trim().replace(/\n+/g, '\n'),
    behind: behind(result),
    verdict: REMARKS[verdict](trouble),
  });
}

const REMARKS = {
  honest: () => '',
  wrong: ({ otherwise = 'Not what a client should get.' }) => otherwise,
  disturbed: () => 'Something was being restarted meanwhile: this result does not count.',
};

/** Shows a count and what it is of; gives the same as a sentence. */
export function showCount(place, name, { verdict, count, of, ms, list = [], remark }) {
  place.replaceChildren(copyOf('result'));
  place.dataset.verdict = verdict;
  fill(place, {
    side: name,
    badge: count,
    what: of,
    ms: ms === undefined ? '' : milliseconds(ms),
    body: list.join('\n'),
    behind: remark ?? '',
    verdict: '',
  });
  return `${name}: ${count} ${of}.`;
}

/** Shows how many of an experiment's orders failed, and says it in a sentence; without a result, that it was not tried. */
export function showOrders(place, name, result) {
  if (result === undefined) return showNotTried(place, name);
  place.replaceChildren(copyOf('result'));
  const { requests, failed, failures } = result.orders;
  place.dataset.verdict = requests > 0 && failed === 0 ? 'honest' : 'wrong';
  fill(place, {
    side: name,
    badge: `${failed} failed`,
    what: `of ${requests} orders`,
    ms: '',
    body: Object.entries(failures)
      .map(([failure, times]) => `${times} × ${failure}`)
      .join('\n'),
    behind: result.remark,
    verdict: '',
  });
  return `${name}: ${failed} of ${requests} orders failed.`;
}

export function showNotTried(place, name) {
  place.replaceChildren(copyOf('result'));
  place.dataset.verdict = 'disturbed';
  const behind = 'Something is being restarted already, or the example has ended.';
  fill(place, { side: name, badge: '', what: 'not tried', ms: '', body: '', behind, verdict: '' });
  return `${name}: not tried.`;
}

/** A result in a sentence, for those who listen. */
export function inWords(sideName, result) {
  return `${sideName}: ${[result.status, what(result)].filter(Boolean).join(' ')} after ${milliseconds(result.ms)}.`;
}

function badge({ status, outcome }) {
  if (outcome === 'gave up' && status === null) return 'no answer';
  if (outcome === 'left') return 'left';
  return status ?? 'none';
}

function what({ status, reason, outcome, events }) {
  if (outcome === 'complete') return reason;
  if (outcome === 'cut') return status === null ? 'the connection broke' : 'then the connection broke';
  if (outcome === 'gave up') return status === null ? 'the page gave up' : 'never complete';
  return events > 0 ? `after ${events} events` : 'before the answer';
}

function behind({ behind: outcome, behindMs, afterClientMs, outcome: clientOutcome }) {
  switch (outcome) {
    case 'answered':
      return 'Price service: answered.';
    case 'broken by the price service':
      return 'Price service: broke the connection itself.';
    case 'not called':
      return 'Price service: not reached.';
    case 'still open':
      return 'Price service: its connection is still open; it works on for nobody.';
    case 'closed by the gateway':
      return `Price service: the gateway closed its connection ${closedWhen(clientOutcome, behindMs, afterClientMs)}.`;
    default:
      return 'Price service: unknown.';
  }
}

function closedWhen(clientOutcome, ms, afterClientMs) {
  if (clientOutcome === 'complete' || clientOutcome === 'cut') return `after ${milliseconds(ms)}`;
  return `${milliseconds(Math.max(0, afterClientMs))} after the client had left`;
}

function copyOf(id) {
  return document.getElementById(id).content.cloneNode(true);
}

function fill(place, texts) {
  for (const [name, text] of Object.entries(texts)) {
    const element = place.querySelector(`.${name}`);
    element.textContent = text;
    element.hidden = text === '';
  }
}
