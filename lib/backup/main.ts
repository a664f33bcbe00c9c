/** What `import 'dirfd/backup'` loads: index.js, which see, but one file at a time, for the reason that lib/main.ts tells. */

import { createRequire } from 'node:module';
import type * as Index from './index.js';

const index = createRequire(import.meta.url)('./index.js') as typeof Index;

export const {
  BackupError,
  BackupManager,
  IntegrityError,
  RecoveryError,
  RecoveryManager,
  RestoreError,
  SafeOperationError,
  StateError,
  StorageError,
  VersionError,
} = index;
