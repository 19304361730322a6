export { configs, meta, recommended, rules } from './plugin';
export type { HangupRule } from './rule';
