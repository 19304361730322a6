import { exchange } from './exchange.js';
import { wireExperiments } from './experiments.js';
import { createQueue } from './queue.js';
import { inWords, showResult, showWaiting } from './result.js';
import { wireSources } from './sources.js';
import { scenes } from './troubles.js';

// Two troubles are four requests: a browser opens six connections to a host, and waiting for one would look like a delay.
const enqueue = createQueue(2);
const announcement = document.getElementById('announcement');

for (const section of document.querySelectorAll('[data-scene]')) {
  const { sides, troubles } = scenes[section.dataset.scene];
  const buttons = troubles.map((trouble) => addTrouble(section, sides, trouble));
  section
    .querySelector('[data-all]')
    .addEventListener('click', () => buttons.forEach((button) => button.click()));
}
wireSources();
wireExperiments((text) => (announcement.textContent = text));

function addTrouble(section, sides, trouble) {
  const row = document.getElementById('trouble').content.cloneNode(true).firstElementChild;
  row.querySelector('h3').textContent = trouble.name;
  row.querySelector('.ask p').textContent = trouble.about;
  const button = row.querySelector('button');
  button.setAttribute('aria-label', `Try: ${trouble.name}`);
  const places = Object.keys(sides).map((key) => {
    const place = row.querySelector(`[data-side="${key}"]`);
    place.textContent = sides[key].name;
    return [sides[key], place];
  });
  button.addEventListener('click', () => {
    // Not disabled, which would throw the keyboard's focus away.
    if (row.ariaBusy === 'true') return;
    row.ariaBusy = 'true';
    enqueue(async () => {
      const results = await Promise.all(places.map(([side, place]) => tryIt(trouble, side, place)));
      announcement.textContent = `${trouble.name}. ${results.join(' ')}`;
      row.ariaBusy = 'false';
    });
  });
  section.querySelector('.troubles').append(row);
  return button;
}

async function tryIt(trouble, side, place) {
  const stopWaiting = showWaiting(place, side.name);
  const result = await exchange(trouble, side).finally(stopWaiting);
  showResult(place, side.name, trouble, result);
  return inWords(side.name, result);
}
