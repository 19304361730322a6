// The button that has five clients leave, and what PostgreSQL is still doing for them.
import { milliseconds, showCount, showNotTried, showWaiting } from './result.js';

const SIDES = { abortable: 'with abortable()', plain: 'the pool as it is' };
const ASK_EVERY_MS = 100;
/** How long a query may outlive its client before that is called wrong. */
const SOON_MS = 1000;

const section = document.getElementById('database');
const sides = Object.entries(SIDES).map(([pool, name]) => {
  return { pool, name, place: section.querySelector(`[data-pool="${pool}"]`) };
});

/** Wires the button, or says what is missing; `announce` says the results aloud. */
export async function wireDatabase(announce) {
  const { howToGetIt } = await (await fetch('/lab/database')).json();
  section.querySelector('.missing').hidden = howToGetIt === undefined;
  section.querySelector('.experiment').hidden = howToGetIt !== undefined;
  section.querySelector('.command').textContent = howToGetIt;
  section.querySelector('button').addEventListener('click', async () => {
    if (section.ariaBusy === 'true') return;
    section.ariaBusy = 'true';
    announce(await fiveLeave());
    section.ariaBusy = 'false';
  });
}

async function fiveLeave() {
  const stopWaiting = sides.map(({ place, name }) => showWaiting(place, name));
  let isOver = false;
  const answer = fetch('/lab/database/five-leave', { method: 'POST' }).finally(() => (isOver = true));
  const watching = watch(
    () => isOver,
    () => stopWaiting.forEach((stop) => stop()),
  );
  const end = await answer
    .then((response) => (response.ok ? response.json() : undefined))
    .catch(() => undefined);
  await watching;
  return sides.map((side) => (end ? showEnd(side, end) : showNotTried(side.place, side.name))).join(' ');
}

/** Shows what runs, from the moment in which the clients have left. */
async function watch(isOver, whenLeft) {
  let hasLeft = false;
  while (!isOver()) {
    const { reports, leftMs } = await (await fetch('/lab/database')).json();
    if (leftMs !== undefined && !isOver()) {
      if (!hasLeft) whenLeft();
      hasLeft = true;
      for (const side of sides) showRunning(side, reports, leftMs);
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
  if (!hasLeft) whenLeft();
}

function showRunning({ pool, name, place }, reports, leftMs) {
  const list = reports
    .filter((report) => report.pool === pool)
    .map(({ pid, ms }) => `process ${pid}: active for ${milliseconds(ms)}`);
  showCount(place, name, {
    verdict: list.length > 0 && leftMs > SOON_MS ? 'wrong' : 'honest',
    count: list.length,
    of: 'queries run for nobody',
    ms: leftMs,
    list,
  });
}

function showEnd({ pool, name, place }, { clients, endedMs }) {
  const ms = endedMs[pool];
  const isSoon = ms <= SOON_MS;
  return showCount(place, name, {
    verdict: isSoon ? 'honest' : 'wrong',
    count: milliseconds(ms),
    of: `until the last of ${clients} queries had ended`,
    remark: isSoon ? 'PostgreSQL works on for nobody.' : 'PostgreSQL worked on for nobody all the while.',
  });
}
