/**
 * dirfd/lock: locks between processes, threads and tasks, by the kernel.
 *
 *   FileLock      file-lock.ts      one lock file
 *   LockManager   lock-manager.ts   one lock an id; what it gives out: lease.ts
 *   FileState     file-state.ts     readers and a writer of one file, counted; on disk: persist.ts
 *   claim.ts      from a name to the kernel's lock, whatever happens to the name meanwhile
 *   lock-file.ts  the queue of this thread, and the kernel's lock behind it
 *   wait-graph.ts deadlocks; owner.ts: by which names
 */

export type { AuditEntry, AuditSink, Logger, ObservedOptions, OperationFacts } from '../audit/observe.js';
export {
  AlreadyLockedError,
  DeadlockError,
  LockError,
  LockTimeoutError,
  SafeOperationError,
  StateError,
} from '../operation-errors.js';
export type { BreakLockOptions } from './break.js';
export type { LockWaitOptions } from './claim.js';
export { FileLock, type FileLockOptions, type TakeLockOptions } from './file-lock.js';
export { FileState, type FileStateMode, type FileUse } from './file-state.js';
export { Lease, Leases } from './lease.js';
export { type AcquireOptions, LockManager, type LockManagerOptions, type LockStatistics } from './lock-manager.js';
export { describeHolder, type LockHolder } from './lock-record.js';
export { withLockOwner } from './owner.js';
export { type PersistedState, persistStates, restoreStates } from './persist.js';
