export { configs, meta, plugin, recommended, rules, type Plugin, type RecommendedConfig } from './plugin';
export type { HangupRule } from './rule';
