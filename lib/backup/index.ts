/** dirfd/backup: versions of files and trees. */

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
