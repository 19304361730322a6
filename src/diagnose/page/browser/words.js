// How durations, moments and verdicts are called. `clock.ts` says durations alike.

/** @param {number} ms */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(ms < 10_000 ? 1 : 0))} s`;
  const minutes = ms / 60_000;
  return minutes < 120 ? `${Number(minutes.toFixed(1))} min` : `${Number((minutes / 60).toFixed(1))} h`;
}

/**
 * Date and time, `2026-11-27 03:14:15`, in the reader's time zone: at night a time without its day misleads.
 * @param {number} at
 */
export function moment(at) {
  const date = new Date(at);
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} many
 */
export function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

/** @type {Record<string, string>} */
const WHO = {
  U: 'upstream',
  u: 'upstream too slow',
  N: 'network',
  d: 'deadline',
  P: 'this process',
  C: 'client left',
  '-': 'unknown',
};
/** @type {Record<string, string>} */
const WHEN = {
  Q: 'queued',
  N: 'name lookup',
  C: 'connecting',
  T: 'TLS',
  S: 'sending',
  W: 'waiting',
  B: 'in the body',
  '-': '',
};
/** @type {Record<string, string>} */
const SOCKET = { 1: 'first request', r: 'reused socket', '-': '' };

/**
 * A verdict in words: `UWr` is "upstream, waiting, reused socket".
 * @param {string} verdict
 */
export function verdictInWords(verdict) {
  const [who = '', when = '', socket = ''] = verdict;
  return [WHO[who], WHEN[when], SOCKET[socket]].filter(Boolean).join(', ');
}
