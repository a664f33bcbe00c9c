/**
 * dirfd/audit: who did what, in a chain of records.
 *
 *   AuditTrail         trail.ts     append, by several processes, safe from crashes
 *   verifyAuditTrail   verify.ts    every link tested; readAuditTrail: the records
 *   chain.ts           the lines: how each names the one before it
 *   summary.ts         a trail in numbers
 *   global.ts          the trail of the whole process
 *   observe.ts         how operations tell what they do
 */

export { BackupError, IntegrityError, SafeOperationError, StorageError } from '../operation-errors.js';
export type { AuditRecord, ChainEnd } from './chain.js';
export { getGlobalAuditTrail, setGlobalAuditTrail } from './global.js';
export type { AuditEntry, AuditSink, Logger, ObservedOptions, OperationEvent, OperationFacts } from './observe.js';
export { type AuditSummaryRow, formatAuditSummary, summarizeAuditTrail } from './summary.js';
export { AuditTrail, type AuditTrailOptions } from './trail.js';
export {
  type AuditFault,
  type AuditReport,
  type ReadAuditOptions,
  readAuditTrail,
  type VerifyAuditOptions,
  verifyAuditTrail,
} from './verify.js';
