export { hangupProxy } from './hangup-proxy';
export type { HangupProxyOptions } from './options';
