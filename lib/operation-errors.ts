/**
 * The errors of the durable layers (lock, atomic, transaction, backup): each an FsError, with the fields that a caller who branches on the
 * class will want. Where a system call failed underneath, its FsError is the `cause`.
 *
 *   SafeOperationError
 *   ├── ValidationError      PathError, PermissionError, ContentError
 *   ├── LockError            LockTimeoutError, DeadlockError, AlreadyLockedError
 *   ├── AtomicWriteError     ConflictError, DurabilityError
 *   ├── BackupError          StorageError, VersionError
 *   ├── RecoveryError        RestoreError, StateError
 *   ├── IntegrityError
 *   └── FileSizeError
 */

import { describeOwn, type ErrorSubject, FsError, type FsErrorFields, type OwnCode } from './errors.js';

/** Any failure of a durable operation that is not a plain {@link FsError}. */
export class SafeOperationError extends FsError {
  override readonly name: string = 'SafeOperationError';
}

/** Refused before anything was changed. */
export class ValidationError extends SafeOperationError {
  override readonly name: string = 'ValidationError';
}
/** The path may not be used. */
export class PathError extends ValidationError {
  override readonly name: string = 'PathError';
}
/** The caller lacks the right to it. */
export class PermissionError extends ValidationError {
  override readonly name: string = 'PermissionError';
}

/** One complaint about content. */
export interface ContentIssue {
  /** Where, as a JSON pointer (RFC 6901); empty for the whole document. */
  readonly pointer: string;
  readonly message: string;
}

/** The content is not what it has to be: it violates its schema, or cannot be decoded. */
export class ContentError extends ValidationError {
  override readonly name: string = 'ContentError';
  /** Every complaint, the first one also in the message. */
  readonly issues: readonly ContentIssue[];

  constructor(message: string, fields: FsErrorFields, issues: readonly ContentIssue[] = []) {
    super(message, fields);
    this.issues = issues;
  }

  /** The JSON pointer of the first complaint. */
  get pointer(): string | undefined {
    return this.issues[0]?.pointer;
  }
}

/** A lock could not be had, kept or given back. */
export class LockError extends SafeOperationError {
  override readonly name: string = 'LockError';
}
/** Not free within the time given. */
export class LockTimeoutError extends LockError {
  override readonly name: string = 'LockTimeoutError';
}
/** Who asks holds it already. */
export class AlreadyLockedError extends LockError {
  override readonly name: string = 'AlreadyLockedError';
}
/** To wait would be to wait for oneself. */
export class DeadlockError extends LockError {
  override readonly name: string = 'DeadlockError';
  /** Who waits for whom, in order; the last one waits for the first. */
  readonly cycle: readonly string[];

  constructor(message: string, fields: FsErrorFields, cycle: readonly string[]) {
    super(message, fields);
    this.cycle = cycle;
  }
}

/** A file could not be replaced; it is as it was. */
export class AtomicWriteError extends SafeOperationError {
  override readonly name: string = 'AtomicWriteError';
}
/** Somebody else has changed the file meanwhile; their change stands. */
export class ConflictError extends AtomicWriteError {
  override readonly name: string = 'ConflictError';
  /** All of them, where it is about several; the first is `path`. */
  readonly paths: readonly string[];

  constructor(message: string, fields: FsErrorFields, paths: readonly string[] = []) {
    super(message, fields);
    this.paths = paths;
  }
}

/** The file has its new content, but whether that would survive a crash is unknown, and asking again proves nothing: fsync(2) has failed. */
export class DurabilityError extends AtomicWriteError {
  override readonly name: string = 'DurabilityError';
}

/** A backup could not be made, kept or read. */
export class BackupError extends SafeOperationError {
  override readonly name: string = 'BackupError';
}
/** The place where backups are kept cannot be used. */
export class StorageError extends BackupError {
  override readonly name: string = 'StorageError';
}
/** There is no such version. */
export class VersionError extends BackupError {
  override readonly name: string = 'VersionError';
}

/** What a crash or a failure left could not be put right. */
export class RecoveryError extends SafeOperationError {
  override readonly name: string = 'RecoveryError';
}
/** Content could not be put back. */
export class RestoreError extends RecoveryError {
  override readonly name: string = 'RestoreError';
}
/** The state on disk is not one that this operation can go on from. */
export class StateError extends RecoveryError {
  override readonly name: string = 'StateError';
  /** All that has to be looked at; the first is `path`. */
  readonly paths: readonly string[];

  constructor(message: string, fields: FsErrorFields, paths: readonly string[] = []) {
    super(message, fields);
    this.paths = paths;
  }
}

/** What was read back is not what was written, or not what its hash says. */
export class IntegrityError extends SafeOperationError {
  override readonly name: string = 'IntegrityError';
  /** SHA-256, in hexadecimal. */
  readonly expected: string;
  readonly actual: string;

  constructor(message: string, fields: FsErrorFields, hashes: { readonly expected: string; readonly actual: string }) {
    super(message, fields);
    this.expected = hashes.expected;
    this.actual = hashes.actual;
  }
}

/** More bytes than the limit that was given. */
export class FileSizeError extends SafeOperationError {
  override readonly name: string = 'FileSizeError';
  /** In bytes. */
  readonly limit: number;

  constructor(message: string, fields: FsErrorFields, limit: number) {
    super(message, fields);
    this.limit = limit;
  }
}

/** Makes one of these errors: its message says what failed, on what and in which directory, as every FsError's does. */
export function operationError<E extends SafeOperationError, D extends readonly unknown[]>(
  Class: new (message: string, fields: FsErrorFields, ...details: D) => E,
  code: OwnCode,
  why: string,
  subject: ErrorSubject,
  cause?: unknown,
  ...details: D
): E {
  const [message, fields] = describeOwn(code, why, subject, cause);
  return new Class(message, fields, ...details);
}
