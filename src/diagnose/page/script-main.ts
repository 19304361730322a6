/** Asks for the report again and again, and draws it. */
export const SCRIPT_MAIN = String.raw`
const POLL_MS = 1000;
let timer;
let isPaused = false;

function drawAll(report) {
  drawTiles(report);
  drawFindings(report.findings);
  drawLive(report.live);
  drawOutcomes(report.outcomes);
  drawOrigins(report.origins);
  drawTimeouts(report.timeouts);
  drawLate(report.late);
  drawFaults(report.faults);
  byId('since').textContent = new Date(report.at - report.listeningMs).toLocaleString();
}

let announced;

/** A change of state is announced to screen readers; the time of the last update is not, for it changes every second. */
function setStatus(kind, words) {
  const status = byId('status');
  status.className = 'status ' + kind;
  if (announced === words) return;
  announced = words;
  status.textContent = words;
}

async function update() {
  try {
    const response = await fetch('report.json', { headers: { Accept: 'application/json' } });
    if (!response.ok) throw new Error('status ' + response.status);
    drawAll(await response.json());
    setStatus('live', 'Live, every second');
  } catch (error) {
    setStatus('lost', 'No connection (' + error.message + '), trying again');
  }
}

/** The next question comes a second after the last answer: a slow server is not asked more. */
async function poll() {
  clearTimeout(timer);
  if (isPaused || document.hidden) return;
  await update();
  clearTimeout(timer);
  if (!isPaused && !document.hidden) timer = setTimeout(poll, POLL_MS);
}

byId('pause').addEventListener('click', () => {
  isPaused = !isPaused;
  byId('pause').textContent = isPaused ? 'Go on' : 'Pause';
  if (isPaused) setStatus('', 'Paused');
  else poll();
});
document.addEventListener('visibilitychange', poll);
poll();
`;
