/** What `import 'dirfd/atomic'` loads: index.js, which see, but one file at a time, for the reason that lib/main.ts tells. */

import { createRequire } from 'node:module';
import type * as Index from './index.js';

const index = createRequire(import.meta.url)('./index.js') as typeof Index;

export const {
  AtomicFileOperations,
  AtomicWriteError,
  AtomicWriter,
  BatchOperation,
  checkContent,
  cleanupBackups,
  cleanupTemporaryFiles,
  ConflictError,
  ContentError,
  DurabilityError,
  FileSizeError,
  getGlobalAuditTrail,
  IntegrityError,
  LockTimeoutError,
  mergeConfig,
  PathError,
  PermissionError,
  readChunks,
  rotate,
  safeFileRotation,
  SafeOperationError,
  setGlobalAuditTrail,
  updateJson,
  ValidationError,
  writeBytes,
  writeChunks,
  writeConfigAtomically,
  writeFileAtomic,
  writeJson,
  writeText,
  writeYaml,
} = index;
