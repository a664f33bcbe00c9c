/** What `import 'dirfd/lock'` loads: index.js, which see, but one file at a time, for the reason that lib/main.ts tells. */

import { createRequire } from 'node:module';
import type * as Index from './index.js';

const index = createRequire(import.meta.url)('./index.js') as typeof Index;

export const {
  AlreadyLockedError,
  DeadlockError,
  describeHolder,
  FileLock,
  FileState,
  Lease,
  Leases,
  LockError,
  LockManager,
  LockTimeoutError,
  persistStates,
  restoreStates,
  SafeOperationError,
  StateError,
  withLockOwner,
} = index;
