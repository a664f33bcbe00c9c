/** dirfd/transaction: many files changed together or not at all. */

export {
  ConflictError,
  IntegrityError,
  RecoveryError,
  RestoreError,
  SafeOperationError,
  StateError,
  ValidationError,
} from '../operation-errors.js';
