// Asks for the report again and again, and draws it.
import { byId, draw, el } from './elements.js';
import { drawFaults } from './faults.js';
import { drawOutcomes, drawTiles } from './outcomes.js';
import { drawLive, drawRoutes } from './routes.js';
import { drawFindings, drawLate, drawOrigins, drawTimeouts } from './upstreams.js';
import { count, duration, moment } from './words.js';

/** @typedef {import('./types').Report} Report */

const POLL_MS = 1000;
/** A server whose loop is blocked, or a connection that has slept with its machine, may never answer. */
const ANSWER_WITHIN_MS = 15_000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let isPaused = false;
let isAsking = false;
/** @type {Report | undefined} */
let latest;
/** @type {string | undefined} */
let announced;

const filter = /** @type {HTMLInputElement} */ (byId('filter'));
const range = /** @type {HTMLSelectElement} */ (byId('range'));

/** @param {Report} report */
function drawAll(report) {
  const wanted = filter.value.trim().toLowerCase();
  drawTiles(report);
  drawFindings(report);
  drawFaults(report, wanted);
  drawRoutes(report.routes, wanted);
  drawLive(report, wanted);
  drawOutcomes(range.value === 'hours' ? report.outcomes.hours : report.outcomes);
  drawOrigins(report, wanted);
  drawTimeouts(report, wanted);
  drawLate(report, wanted);
  drawProcesses(report);
}

/** @param {Report} report */
function drawProcesses({ processes, at }) {
  const words = processes.map(({ pid, worker, listeningMs, live, requests, faults }) => {
    const name = worker === undefined ? `Process ${pid}` : `Worker ${worker} (process ${pid})`;
    const since = moment(Math.floor((at - listeningMs) / 1000) * 1000);
    return `${name}, since ${since}: ${count(requests, 'request', 'requests')}, ${live} in flight, ${count(faults, 'fault', 'faults')}`;
  });
  draw('processes', words, () => words.map((text) => el('li', {}, text)));
}

/**
 * A change of state is announced to screen readers; the time of the last update is not, for it changes every second.
 * @param {string} kind
 * @param {string} words
 */
function setStatus(kind, words) {
  const status = byId('status');
  status.className = `status ${kind}`;
  if (announced === words) return;
  announced = words;
  status.textContent = words;
}

async function update() {
  const controller = new AbortController();
  const limit = setTimeout(
    () => controller.abort(new Error(`no answer in ${duration(ANSWER_WITHIN_MS)}`)),
    ANSWER_WITHIN_MS,
  );
  try {
    const { signal } = controller;
    const response = await fetch('report.json', { headers: { Accept: 'application/json' }, signal });
    if (!response.ok) throw new Error(`status ${response.status}`);
    latest = /** @type {Report} */ (await response.json());
  } catch (error) {
    if (isPaused) return;
    setStatus('lost', `No connection (${error instanceof Error ? error.message : 'unknown'}), trying again`);
    return;
  } finally {
    clearTimeout(limit);
  }
  if (!isPaused) show(latest);
}

/** @param {Report} report */
function show(report) {
  try {
    drawAll(report);
    setStatus('live', `Live, every ${duration(POLL_MS)}`);
  } catch {
    // The server was started anew, with another version of this package.
    setStatus('lost', 'This page is not of the version that the server runs: load it again');
  }
}

/**
 * The next question comes a second after the last answer: a slow server is not asked more. There is one question at a
 * time, however often the page is hidden and shown, paused and continued.
 */
async function poll() {
  clearTimeout(timer);
  if (isAsking || isPaused || document.hidden) return;
  isAsking = true;
  await update();
  isAsking = false;
  if (!isPaused && !document.hidden) timer = setTimeout(poll, POLL_MS);
}

async function copyReport() {
  const button = byId('copy');
  try {
    await window.navigator.clipboard.writeText(JSON.stringify(latest, undefined, 2));
    button.textContent = 'Copied';
  } catch {
    // The clipboard is for https and localhost: elsewhere there is still the file.
    window.location.href = 'report.json';
  }
  setTimeout(() => (button.textContent = 'Copy as JSON'), 2000);
}

const redraw = () => latest && drawAll(latest);

byId('pause').addEventListener('click', () => {
  isPaused = !isPaused;
  byId('pause').textContent = isPaused ? 'Go on' : 'Pause';
  if (isPaused) setStatus('', 'Paused');
  else poll();
});
byId('copy').addEventListener('click', copyReport);
filter.addEventListener('input', redraw);
range.addEventListener('change', redraw);
document.addEventListener('visibilitychange', poll);
poll();
