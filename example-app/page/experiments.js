// The buttons that restart something while clients go on ordering.
import { showOrders, showWaiting } from './result.js';

const experiments = {
  restart: {
    request: '/lab/restart-price-service',
    places: { upstream: 'with upstream()', snippet: 'with fetch() and the copied snippet' },
    read: ({ upstream, snippet, downMs }) => {
      const remark = `The price service was away for ${downMs} ms.`;
      return { upstream: { orders: upstream, remark }, snippet: { orders: snippet, remark } };
    },
  },
  deploy: {
    request: '/lab/deploy?drain=yes',
    places: { drained: 'with drainable()' },
    read: ({ orders, stopMs, exit }) => ({ drained: { orders, remark: endOfGateway(stopMs, exit) } }),
  },
  kill: {
    request: '/lab/deploy?drain=no',
    places: { killed: 'without a drain' },
    read: ({ orders, stopMs, exit }) => ({ killed: { orders, remark: endOfGateway(stopMs, exit) } }),
  },
};

/** Wires the buttons; `announce` says the results aloud. */
export function wireExperiments(announce) {
  for (const button of document.querySelectorAll('[data-experiment]')) {
    button.addEventListener('click', async () => {
      const sections = document.querySelectorAll('section:has([data-experiment])');
      // Both wait for one: a restart in the middle of another would show nothing.
      if (sections[0].ariaBusy === 'true') return;
      for (const section of sections) section.ariaBusy = 'true';
      announce(await run(experiments[button.dataset.experiment]));
      for (const section of sections) section.ariaBusy = 'false';
    });
  }
}

async function run({ request, places, read }) {
  const shown = Object.entries(places).map(([key, name]) => {
    const place = document.querySelector(`[data-place="${key}"]`);
    return { key, name, place, stopWaiting: showWaiting(place, name) };
  });
  const answer = await fetch(request, { method: 'POST' }).catch(() => undefined);
  const results = answer?.ok ? read(await answer.json()) : {};
  return shown
    .map(({ key, name, place, stopWaiting }) => {
      stopWaiting();
      return showOrders(place, name, results[key]);
    })
    .join(' ');
}

function endOfGateway(ms, exit) {
  const how = exit === 0 ? 'by itself, exit code 0' : exit;
  return `The old gateway was gone after ${ms} ms (${how}).`;
}
