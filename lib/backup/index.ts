/**
 * dirfd/backup: versions of files and trees.
 *
 *   BackupManager     manager.ts     make, list, compare, verify, put back, prune
 *   create.ts         copied, shared with the version before (share.ts), hashed and compressed (pack.ts), renamed into being
 *   restore.ts        verified (verify.ts), copied beside its place, decompressed (unpack.ts), exchanged
 *   diff.ts           two versions, or a version and a directory
 *   content.ts        a file's content as it was before it was compressed (compression.ts)
 *   losses.ts         what either could not keep
 *   retention.ts      which versions are kept
 *   store.ts          the directory and its lock; manifest.ts: what a version says of itself
 *   RecoveryManager   recovery.ts    points to come back to (points.ts), and what crashes have left of transactions (transactions.ts)
 */

export type { AuditEntry, AuditSink, Logger, ObservedOptions, OperationFacts } from '../audit/observe.js';
export {
  BackupError,
  IntegrityError,
  RecoveryError,
  RestoreError,
  SafeOperationError,
  StateError,
  StorageError,
  VersionError,
} from '../operation-errors.js';
export type { Change } from '../transaction/changes.js';
export type { TransactionStatus } from '../transaction/history.js';
export type { RecoveryReport as TransactionRecoveryReport } from '../transaction/recover.js';
export type { TransactionRoot } from '../transaction/site.js';
export type { Compression } from './compression.js';
export type { CreateBackupOptions } from './create.js';
export type { VersionEntry } from './entries.js';
export type { BackupLoss, BackupLosses } from './losses.js';
export {
  BackupManager,
  type BackupManagerOptions,
  type PruneBackupOptions,
  type PruneReport,
  type PruneVersionsOptions,
  type UnreadableVersion,
} from './manager.js';
export type { BackupVersion, Manifest, VersionFile } from './manifest.js';
export type { RecoveryPoint } from './points.js';
export {
  type RecoverOptions,
  RecoveryManager,
  type RecoveryManagerOptions,
  type RecoveryOutlook,
  type RecoveryReport,
} from './recovery.js';
export type { RestoreBackupOptions, RestoreReport } from './restore.js';
export type { RetentionPolicy } from './retention.js';
export type { PendingTransaction, SettledTransactions, UnsettledTransactions } from './transactions.js';
export type { BackupFault, BackupReport } from './verify.js';
