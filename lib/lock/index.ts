/** dirfd/lock: locks between processes, threads and tasks, by the kernel. */

export {
  DeadlockError,
  LockError,
  LockTimeoutError,
  SafeOperationError,
} from '../operation-errors.js';
