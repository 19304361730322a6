// Plays all scenarios and prints the table of docs/diagnose.md. The authority of the test certificates must be known to the
// process (NODE_EXTRA_CA_CERTS). `run.mjs` starts it for bench/diagnose-scenarios.mjs and for the test.
import { clients, judgeAll } from './judge.mjs';

process.on('unhandledRejection', () => undefined);
const isVerbose = process.argv.includes('--verbose');
const table = await judgeAll((scenario, client, { cell, told }) => {
  if (isVerbose && cell !== 'right' && cell !== '–')
    console.error(`${cell}: ${scenario} × ${client}: ${told}`);
});
const lines = [
  `| the upstream … | to be told | ${clients.map(({ name }) => name).join(' | ')} |`,
  `| --- | --- |${clients.map(() => ' --- |').join('')}`,
  ...table.map(({ scenario: { name, trigger, advice }, cells }) => {
    const told =
      trigger === null ? 'no fault' : `${[trigger].flat()[0]}${advice ? ', advice' : ', no advice'}`;
    return `| ${name} | ${told} | ${cells.join(' | ')} |`;
  }),
];
process.stdout.write(`${lines.join('\n')}\n`, () => process.exit(0));
