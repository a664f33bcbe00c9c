/**
 * dirfd/transaction: many files changed together or not at all. What lies here, from what a caller does to what the disk sees:
 *
 *   transaction.ts   FileTransaction: operations, commit and rollback; options.ts, roots.ts
 *   turns.ts         in which order operations are done; running.ts: what they are done with
 *   plan.ts          a transaction as a JSON or YAML document
 *   draft.ts         operations checked against view.ts and staged by staging.ts
 *   compile.ts       from the view to steps.ts: each name changes once
 *   commit.ts        the order that survives a crash; journal.ts is the log
 *   apply.ts         steps taken and taken back: one by take.ts or retake.ts, by renames.ts
 *   recover.ts       what a crash has left; undo.ts, history.ts, read-lock.ts
 *   site.ts          a root with its lock; participant.ts, a root with a transaction's own directory
 */

export type { TextEncoding } from '../atomic/content.js';
export type { JsonSchema } from '../atomic/schema.js';
export type { AuditEntry, AuditSink, Logger, ObservedOptions, OperationFacts } from '../audit/observe.js';
export {
  AtomicWriteError,
  ConflictError,
  ContentError,
  type ContentIssue,
  FileSizeError,
  IntegrityError,
  LockError,
  LockTimeoutError,
  PathError,
  RecoveryError,
  RestoreError,
  SafeOperationError,
  StateError,
  ValidationError,
} from '../operation-errors.js';
export type { Change } from './changes.js';
export type { Content, ContentType } from './content.js';
export { listTransactions, pending, pruneTransactions, type Retention, type TransactionStatus } from './history.js';
export type {
  CommitReport,
  ReplaceOptions,
  TransactionOptions,
  TransactionPath,
  TransactionRoots,
  WriteOptions,
  WriteValueOptions,
} from './options.js';
export {
  addPlan,
  PLAN_SCHEMA,
  type Plan,
  type PlanOperation,
  type PlanPath,
  type PlanTransfer,
  parsePlan,
} from './plan.js';
export type { TransactionProgress } from './progress.js';
export { withReadLock } from './read-lock.js';
export { IncompleteRecoveryError, type RecoverOptions, type RecoveryReport, recover } from './recover.js';
export type { TransactionRoot, WaitOptions } from './site.js';
export { FileTransaction } from './transaction.js';
export { type UndoOptions, undo } from './undo.js';
