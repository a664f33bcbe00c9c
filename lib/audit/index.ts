/** dirfd/audit: who did what, in a chain of records. */

export {
  IntegrityError,
  SafeOperationError,
  StorageError,
} from '../operation-errors.js';
export type { AuditEntry, AuditSink, Logger, ObservedOptions, OperationEvent, OperationFacts } from './observe.js';
