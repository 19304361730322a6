// The shapes of the report, for the type check of the scripts here; nothing of this file is served.
export type {
  FaultGroup,
  FaultReport,
  LateReport,
  LiveReport,
  LiveRequest,
  OriginReport,
  OutcomesReport,
  Percentiles,
  ProcessReport,
  Report,
  RouteReport,
  TimeoutReport,
} from '../../report';
export type { OutcomeCounts, OutcomeHistory, RequestOutcome } from '../../requests/outcomes';
export type { UpstreamInfo } from '../../../answer/fault';
