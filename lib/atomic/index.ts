/** dirfd/atomic: files replaced whole or not at all. */

export {
  AtomicWriteError,
  ConflictError,
  ContentError,
  FileSizeError,
  IntegrityError,
  PathError,
  PermissionError,
  SafeOperationError,
  ValidationError,
} from '../operation-errors.js';
