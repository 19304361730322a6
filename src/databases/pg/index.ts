export { abortable } from './abortable';
export type { AbortableOptions } from '../settings';
export type { AbortableClient, AbortablePool, AbortableQuery, PgPool, PgResult } from './types';
