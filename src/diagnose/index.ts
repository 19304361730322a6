export { diagnose, type DiagnoseOptions, type Diagnosis } from './diagnose';
export type { PageHandler } from './page/page-handler';
export type { Tuning } from './tuning';
export type { Phase } from './verdict';
export type { Trigger } from './trigger';
export type { IdleLimitReport } from './idle-limit';
export type { ResetCounts } from './origin-log';
export type { OutcomeCounts } from './outcomes';
export type {
  FaultReport,
  LateReport,
  LiveReport,
  LiveRequest,
  OriginReport,
  OutcomesReport,
  Report,
  TimeoutReport,
} from './report';
