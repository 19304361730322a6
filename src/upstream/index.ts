export { upstream } from './upstream';
export type {
  EndpointStats,
  OutlierDetectionOptions,
  Upstream,
  UpstreamBody,
  UpstreamCallOptions,
  UpstreamDispatcher,
  UpstreamOptions,
  UpstreamRequestInit,
  UpstreamRequestOptions,
  UpstreamResponse,
  UpstreamStats,
} from './types';
