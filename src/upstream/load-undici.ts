/** The parts of undici that are used. */
export type Undici = Pick<
  typeof import('undici'),
  | 'buildConnector'
  | 'Client'
  | 'Dispatcher'
  | 'errors'
  | 'fetch'
  | 'FormData'
  | 'getGlobalDispatcher'
  | 'Headers'
  | 'Pool'
  | 'Request'
>;

/** undici's Headers: another class than the global one. */
export type UndiciHeaders = InstanceType<Undici['Headers']>;

const ADVICE = 'Run "npm install undici@7" on Node 20, or "npm install undici@8" on Node 22.19 and later.';

/**
 * Loads the app's undici. It is an optional peer dependency: only an app that calls `upstream()` needs it.
 * @throws {Error} where undici is missing, too old, or not made for this version of Node. The message says what to install.
 */
export function loadUndici(): Undici {
  let undici: Undici;
  let version: string;
  try {
    /* eslint-disable @typescript-eslint/no-require-imports -- loaded when it is needed, and only then */
    undici = require('undici') as Undici;
    ({ version } = require('undici/package.json') as { version: string });
    /* eslint-enable @typescript-eslint/no-require-imports */
  } catch (error) {
    throw new Error(`${explain(error)} ${ADVICE}`, { cause: error });
  }
  if (Number.parseInt(version, 10) < 7) {
    throw new Error(
      `express-hangup/upstream needs undici 7 or 8, but undici ${version} is installed. ${ADVICE}`,
    );
  }
  return undici;
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const isMissing = code === 'MODULE_NOT_FOUND' && message.includes("'undici");
  if (isMissing) return 'express-hangup/upstream needs undici, which is not installed.';
  // undici 8 on Node 20: "Cannot read properties of undefined (reading 'bind')".
  return `express-hangup/upstream needs undici, but the installed one cannot be loaded on Node ${process.version}.`;
}
