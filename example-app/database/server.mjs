// For the process of reports.mjs: its PostgreSQL, started with it and ended with it.
import { pathToFileURL } from 'node:url';
import { findPostgres } from './find-postgres.mjs';
import { startPostgres } from './postgres.mjs';

// Not by the signal itself, which would leave no time to end the server.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));

const { driver, root } = findPostgres();
export const config = await startPostgres(root);
export const { default: pg } = await import(pathToFileURL(driver));
