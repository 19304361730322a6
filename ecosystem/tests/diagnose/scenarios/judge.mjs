// Plays scenarios with all clients, and says of each whether what diagnose() says of it is right, unknown or wrong.
import { clients } from './clients.mjs';
import { Lab } from './lab.mjs';
import { scenarios } from './scenarios.mjs';

/** What diagnose() says of one scenario with one client. */
export async function judge(scenario, client) {
  if (scenario.own && !client.canAbort) return { cell: '–' };
  const lab = await Lab.open(client, scenario);
  try {
    await scenario.run(lab);
    await lab.turn();
    return cellOf(scenario, lab.verdict());
  } finally {
    await lab.close();
  }
}

function cellOf({ trigger, advice }, rows) {
  const [last] = rows;
  const told = JSON.stringify(rows.map((row) => [row.verdict, row.trigger, row.advice]));
  const wanted = [trigger].flat();
  if (trigger === null) return last === undefined ? { cell: 'right' } : { cell: 'wrong', told };
  // A proxy or upstream() that has sent the request again, with success, has no fault to tell of.
  if (last === undefined) return { cell: 'unknown', told: 'no fault' };
  for (const row of rows) {
    if (row.advice !== undefined && !(advice?.test(row.advice) && row.evidence))
      return { cell: 'wrong', told };
    if (row.trigger !== undefined && !wanted.includes(row.trigger)) return { cell: 'wrong', told };
  }
  const isKnown = last.trigger !== undefined && (advice === undefined || last.advice !== undefined);
  return { cell: isKnown ? 'right' : 'unknown', told };
}

/** All of them: rows of cells. */
export async function judgeAll(onCell = () => undefined) {
  const table = [];
  for (const scenario of scenarios) {
    const cells = [];
    for (const client of clients) {
      const result = await judge(scenario, client).catch((error) => ({ cell: 'wrong', told: String(error) }));
      cells.push(result.cell);
      onCell(scenario.name, client.name, result);
    }
    table.push({ scenario, cells });
  }
  return table;
}

export { clients, scenarios };
