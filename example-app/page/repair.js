const KINDS = { '+': 'added', '-': 'removed' };

/** Shows what the command makes of the app, line by line, where the button is pressed. `announce` says the sum aloud. */
export function wireRepair(announce) {
  const section = document.getElementById('repair');
  const place = section.querySelector('pre');
  section.querySelector('button').addEventListener('click', async () => {
    if (section.ariaBusy === 'true') return;
    section.ariaBusy = 'true';
    const answer = await fetch('/lab/repair').catch(() => undefined);
    const { diff, summary } = answer?.ok
      ? await answer.json()
      : { diff: [], summary: 'The command could not run. It needs ESLint.' };
    place.replaceChildren(...diff.map(lineOf));
    place.hidden = diff.length === 0;
    section.querySelector('.tally').textContent = summary;
    section.querySelector('.tally').hidden = false;
    announce(summary);
    section.ariaBusy = 'false';
  });
}

function lineOf(text) {
  const line = document.createElement('span');
  line.className = /^(---|\+\+\+|@@)/.test(text) ? 'of-diff' : (KINDS[text[0]] ?? '');
  line.textContent = `${text}\n`;
  return line;
}
