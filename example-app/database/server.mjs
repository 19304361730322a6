// For the process of reports.mjs: its PostgreSQL, started with it and ended with it.
import { pathToFileURL } from 'node:url';
import { findPostgres } from './find-postgres.mjs';
import { startPostgres } from './postgres.mjs';

const { driver, root } = findPostgres();
export const config = await startPostgres(root);
export const { default: pg } = await import(pathToFileURL(driver));
