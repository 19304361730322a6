import { checkOptionNames } from '../check-options';

/** The faults of a TCP connection, in the order of the table in `docs/testing.md`. */
export const TCP_FAULTS = {
  ok: 'passes everything on',
  slow: 'holds what the client sends back for `ms` (200), then passes it on',
  drip: 'passes the answer on in pieces of `bytes` (100), `ms` (20) apart',
  hang: 'swallows what the client sends: no answer comes, the connection stays open',
  'hang-body': 'passes `bytes` (3) of the answer on, then nothing more',
  reset: 'resets the connection when the client sends something',
  close: 'closes the connection when the client sends something',
  'reset-chunk': 'passes `bytes` (3) of the answer on, then resets the connection',
  'close-body': 'passes `bytes` (3) of the answer on, then closes the connection',
  'close-chunk': 'the same as `close-body`',
  garbage: 'answers with bytes that no protocol knows',
  'half-open': 'has lost its connection to the target, and does not say so',
  'half-close': 'ends its side, and goes on reading',
  stale: 'passes one answer on, and closes the connection when the client uses it again',
} as const;

/** The name of a fault of `faultyTcp()`. */
export type TcpFaultName = keyof typeof TCP_FAULTS;

/** The settings of such a fault. */
export interface TcpFaultSettings {
  /** How long the fault waits, in ms: before the cut, before it passes bytes on, or between two pieces. */
  ms?: number;
  /** A promise to wait for instead of `ms`. */
  until?: Promise<unknown>;
  /** How many bytes of the answer are passed on, or how many a piece has. */
  bytes?: number;
}

/** A fault by its name, or with settings: `{ fault: 'close-body', bytes: 20 }`. */
export type TcpFault = TcpFaultName | ({ fault: TcpFaultName } & TcpFaultSettings);

/** A fault with its settings. */
export interface ChosenTcpFault {
  name: TcpFaultName;
  settings: TcpFaultSettings;
}

// The conformance run sets these for HTTP; they mean nothing here.
const OF_HTTP = ['body', 'chunks', 'how', 'status', 'headers'];

/** Checks a fault; throws a TypeError that names what is wrong. */
export function chosenTcpFault(fault: TcpFault): ChosenTcpFault {
  const { fault: name, ...settings } = typeof fault === 'string' ? { fault } : fault;
  if (!Object.hasOwn(TCP_FAULTS, name)) {
    const hint =
      (name as string) === 'refuse'
        ? 'A connection is refused before there is one: call refuse(), and accept() afterwards.'
        : `Known faults: ${Object.keys(TCP_FAULTS).join(', ')}.`;
    throw new TypeError(`faultyTcp(): there is no fault "${name as string}". ${hint}`);
  }
  checkOptionNames(`faultyTcp(): fault "${name}"`, settings, ['ms', 'until', 'bytes', ...OF_HTTP]);
  return { name, settings };
}
