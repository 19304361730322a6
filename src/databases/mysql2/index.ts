export { abortable } from './abortable';
export type { AbortableOptions } from '../settings';
export type { AbortablePool, AbortableQuery, Mysql2Pool } from './types';
