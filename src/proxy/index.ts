export { hangupProxy } from './hangup-proxy';
export type { HangupProxyEvents, HangupProxyOptions } from './options';
