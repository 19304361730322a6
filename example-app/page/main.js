import { wireDatabase } from './database.js';
import { exchange } from './exchange.js';
import { wireExperiments } from './experiments.js';
import { createQueue } from './queue.js';
import { wireRepair } from './repair.js';
import { inWords, showResult, showWaiting, verdictOf } from './result.js';
import { wireSources } from './sources.js';
import { tallyInWords } from './tally.js';
import { scenes } from './troubles.js';

// Two troubles are four requests: a browser opens six connections to a host, and waiting for one would look like a delay.
const enqueue = createQueue(2);
const announcement = document.getElementById('announcement');

for (const section of document.querySelectorAll('[data-scene]')) {
  const { sides, troubles } = scenes[section.dataset.scene];
  const rows = troubles.map((trouble) => addTrouble(section, sides, trouble));
  const names = Object.values(sides).map(({ name }) => name);
  wireTryAll(section, names, rows);
}
wireSources();
const announce = (text) => (announcement.textContent = text);
wireExperiments(announce);
wireRepair(announce);
wireDatabase(announce);

/** Tries every row of a section, and then says how each side did. */
function wireTryAll(section, names, rows) {
  const tally = section.querySelector('.tally');
  const button = section.querySelector('[data-all]');
  button.addEventListener('click', async () => {
    if (button.ariaBusy === 'true') return;
    button.ariaBusy = 'true';
    tally.hidden = true;
    const verdicts = await Promise.all(rows.map((tryRow) => tryRow()));
    const text = tallyInWords(
      names,
      names.map((_, side) => verdicts.map((row) => row[side])),
    );
    tally.textContent = text;
    tally.hidden = false;
    announcement.textContent = text;
    button.ariaBusy = 'false';
  });
}

/** Adds a trouble's row; gives the function that tries it and resolves to the verdicts on both sides. */
function addTrouble(section, sides, trouble) {
  const row = document.getElementById('trouble').content.cloneNode(true).firstElementChild;
  row.querySelector('h3').textContent = trouble.name;
  row.querySelector('.ask p').textContent = trouble.about;
  const places = Object.keys(sides).map((key) => {
    const place = row.querySelector(`[data-side="${key}"]`);
    place.textContent = sides[key].name;
    return [sides[key], place];
  });
  let running;
  // Not disabled, which would throw the keyboard's focus away: a second press waits for the first.
  const tryRow = () => (running ??= tryBoth(row, trouble, places).finally(() => (running = undefined)));
  const button = row.querySelector('button');
  button.setAttribute('aria-label', `Try: ${trouble.name}`);
  button.addEventListener('click', tryRow);
  section.querySelector('.troubles').append(row);
  return tryRow;
}

async function tryBoth(row, trouble, places) {
  row.ariaBusy = 'true';
  const results = await enqueue(() =>
    Promise.all(places.map(([side, place]) => tryIt(trouble, side, place))),
  );
  announcement.textContent = `${trouble.name}. ${results.map(({ words }) => words).join(' ')}`;
  row.ariaBusy = 'false';
  return results.map(({ verdict }) => verdict);
}

async function tryIt(trouble, side, place) {
  const stopWaiting = showWaiting(place, side.name);
  const result = await exchange(trouble, side).finally(stopWaiting);
  showResult(place, side.name, trouble, result);
  return { words: inWords(side.name, result), verdict: verdictOf(trouble, result) };
}
