/** What `import 'dirfd/transaction'` loads: index.js, which see, but one file at a time, for the reason that lib/main.ts tells. */

import { createRequire } from 'node:module';
import type * as Index from './index.js';

const index = createRequire(import.meta.url)('./index.js') as typeof Index;

export const {
  addPlan,
  AtomicWriteError,
  ConflictError,
  ContentError,
  FileSizeError,
  FileTransaction,
  IncompleteRecoveryError,
  IntegrityError,
  listTransactions,
  LockError,
  LockTimeoutError,
  PathError,
  PLAN_SCHEMA,
  parsePlan,
  pending,
  pruneTransactions,
  RecoveryError,
  RestoreError,
  recover,
  SafeOperationError,
  StateError,
  undo,
  ValidationError,
  withReadLock,
} = index;
