export { diagnose, type DiagnoseOptions, type Diagnosis } from './diagnose';
export type { PageHandler } from './page/page-handler';
export type { Tuning } from './tuning';
export type { Phase } from './verdicts/verdict';
export type { Trigger } from './verdicts/trigger';
export type { IdleLimitReport } from './learned/idle-limit';
export type { ResetCounts } from './learned/origin-log';
export type { OutcomeCounts } from './requests/outcomes';
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
