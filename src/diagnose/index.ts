export { diagnose, type Diagnosis } from './diagnose';
export type { DiagnoseOptions } from './diagnose-options';
export { faultLine, type FaultLine } from './fault-line';
export { relayReports } from './workers/relay-reports';
export type { FaultRecord } from './requests/fault-record';
export type { RequestIds } from './requests/request-ids';
export type { PageHandler } from './page/page-handler';
export type { Tuning } from './tuning';
export type { Phase } from './verdicts/verdict';
export type { Trigger } from './verdicts/trigger';
export type { IdleLimitReport } from './learned/idle-limit';
export type { ResetCounts } from './learned/origin-log';
export type { OutcomeCounts, OutcomeHistory } from './requests/outcomes';
export type {
  FaultGroup,
  FaultReport,
  LateReport,
  LeftOut,
  LiveReport,
  LiveRequest,
  OriginReport,
  OutcomesReport,
  Percentiles,
  ProcessReport,
  Report,
  RouteReport,
  TimeoutReport,
} from './report';
