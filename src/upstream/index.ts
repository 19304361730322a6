export { upstream } from './upstream';
export type { Upstream, UpstreamOptions, UpstreamRequestInit, UpstreamStats } from './types';
