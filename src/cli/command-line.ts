/* eslint-disable @typescript-eslint/no-require-imports -- an import() would stay one in CommonJS, which Jest cannot follow */
/** Where a command writes. */
export interface Terminal {
  out: (text: string) => void;
  err: (text: string) => void;
}

/** A command: takes the arguments after its name, resolves to the exit code, and never rejects. */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;

interface Entry {
  summary: string;
  /** Loads the command when it is called, so that the others are not loaded. */
  load: () => Command;
}

const COMMANDS: Record<string, Entry> = {
  conformance: {
    summary: 'Plays the fault matrix against a route, and judges what it does',
    load: () =>
      (require('./conformance/conformance-command') as typeof import('./conformance/conformance-command'))
        .conformanceCommand,
  },
  demo: {
    summary: 'Shows in ten seconds what Express does in trouble, with us and without',
    load: () => (require('./demo/demo-command') as typeof import('./demo/demo-command')).demoCommand,
  },
  fix: {
    summary: 'Repairs calls that outlive their request, and answers that hide faults',
    load: () => (require('./fix/fix-command') as typeof import('./fix/fix-command')).fixCommand,
  },
  rollout: {
    summary: 'Replaces a running version by a new one, and takes it back if worse',
    load: () =>
      (require('../server/rollout/rollout-command') as typeof import('../server/rollout/rollout-command'))
        .rolloutCommand,
  },
};

/** Runs `express-hangup <command> …`; gives the exit code, 2 where the call is wrong, and never throws. */
export async function commandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version' || name === '-v') {
    terminal.out(`${version()}\n`);
    return 0;
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.out(usage());
    return 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    terminal.err(`express-hangup has no command "${name}".\n\n${usage()}`);
    return 2;
  }
  return entry.load()(rest, terminal);
}

function usage(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: express-hangup <command> [options]\n\n${lines.join('\n')}\n\nexpress-hangup <command> --help tells more of one.\n`;
}

function version(): string {
  // Read at run time: it lies outside of src.
  return (require('../../package.json') as { version: string }).version;
}
