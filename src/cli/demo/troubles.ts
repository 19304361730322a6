import type { Exchange, Observation, UpstreamWork } from './observe';

/** A longer time than this after the client's leaving, in ms, is not "stops when the client leaves". */
const STOPS_WITHIN_MS = 500;

/** One row of the demo. */
export interface Trouble extends Exchange {
  about: string;
  /** What an honest app does, in a few words. */
  wanted: string;
  isHonest: (seen: Observation) => boolean;
  /** What was seen, line by line. */
  inWords: (seen: Observation) => string[];
}

const answers =
  (status: number) =>
  (seen: Observation): boolean =>
    seen.complete && seen.status === status;

/** What the demo tries, in this order. */
export const TROUBLES: readonly Trouble[] = [
  {
    about: 'POST, all is well',
    wanted: '201',
    fault: { fault: 'slow', ms: 150 },
    request: {
      method: 'POST',
      path: '/order',
      headers: { 'Content-Type': 'application/json' },
      body: '{"item":"coffee"}',
    },
    isHonest: answers(201),
    inWords: answerInWords,
  },
  {
    about: 'The upstream resets',
    wanted: '502',
    fault: 'reset',
    request: { path: '/price' },
    isHonest: answers(502),
    inWords: answerInWords,
  },
  {
    about: 'The upstream hangs',
    wanted: '504',
    fault: 'hang',
    request: { path: '/price' },
    isHonest: answers(504),
    inWords: answerInWords,
  },
  {
    about: 'The client leaves',
    wanted: 'work stops',
    // The connection does not outlive the answer: its end is the end of the work.
    fault: { fault: 'slow', ms: 1500, headers: { Connection: 'close' } },
    request: { path: '/price' },
    leaves: true,
    isHonest: ({ work, crash }) =>
      crash === undefined && work?.isStopped === true && work.ms < STOPS_WITHIN_MS,
    inWords: ({ work, crash }) => [...workInWords(work), ...crashInWords(crash)],
  },
  {
    about: 'A stream breaks off',
    wanted: 'cut, app lives',
    fault: { fault: 'reset-chunk', ms: 50 },
    request: { path: '/stream' },
    isHonest: ({ complete, gaveUp, crash }) => !complete && !gaveUp && crash === undefined,
    inWords: streamInWords,
  },
];

function answerInWords({ status, complete, ms, gaveUp, crash }: Observation): string[] {
  if (crash !== undefined) return crashInWords(crash);
  if (gaveUp) return ['no answer: gave up', `after ${milliseconds(ms)}`];
  if (status === undefined) return ['connection closed', 'without an answer'];
  return [`${status} after ${milliseconds(ms)}`, ...(complete ? [] : ['and then cut'])];
}

function workInWords(work: UpstreamWork | undefined): string[] {
  if (work === undefined) return ['upstream not called'];
  const ms = milliseconds(work.ms);
  return work.isStopped ? ['upstream stopped', `after ${ms}`] : ['upstream worked', `on for ${ms}`];
}

function streamInWords({ status, complete, bodyBytes, gaveUp, crash }: Observation): string[] {
  if (crash !== undefined) return crashInWords(crash);
  if (gaveUp) return ['silent after', `${bodyBytes} bytes`];
  return [
    complete ? `"complete" ${status ?? ''}` : `cut at ${bodyBytes} bytes`,
    complete ? `of ${bodyBytes} bytes` : 'app lives on',
  ];
}

function crashInWords(crash: string | undefined): string[] {
  return crash === undefined ? [] : ['the process ended:', crash];
}

function milliseconds(ms: number): string {
  return `${Math.round(ms).toLocaleString('en')} ms`;
}
