// The names by which the durable layers are known: each is there, a function or a class, and with it the methods that its users call.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as atomic from 'dirfd/atomic';
import * as backup from 'dirfd/backup';
import * as lock from 'dirfd/lock';
import * as transaction from 'dirfd/transaction';

type Entry = Readonly<Record<string, unknown>>;

const FUNCTIONS: readonly (readonly [Entry, readonly string[]])[] = [
  [
    atomic,
    [
      ...[
        'writeText',
        'writeJson',
        'writeYaml',
        'writeBytes',
        'readChunks',
        'writeChunks',
        'updateJson',
        'mergeConfig',
        'rotate',
      ],
      ...['writeConfigAtomically', 'safeFileRotation', 'setGlobalAuditTrail', 'getGlobalAuditTrail', 'cleanupBackups'],
    ],
  ],
  [lock, ['persistStates', 'restoreStates', 'withLockOwner']],
  [transaction, ['recover', 'undo', 'pending', 'withReadLock']],
];

const CLASSES: readonly (readonly [Entry, string, readonly string[]])[] = [
  [
    atomic,
    'AtomicWriter',
    ['writeText', 'writeJson', 'writeYaml', 'writeBytes', 'writeStream', 'writeChunks', 'commit'],
  ],
  [
    atomic,
    'AtomicFileOperations',
    ['atomicJsonUpdate', 'atomicConfigMerge', 'cleanupBackups', 'batchOperation', 'displayAuditSummary'],
  ],
  [
    transaction,
    'FileTransaction',
    [
      ...['addWrite', 'addCopy', 'addMove', 'addDelete', 'commit', 'rollback'],
      ...['write', 'writeJson', 'writeYaml', 'copy', 'move', 'delete', 'mkdir', 'symlink', 'chmod'],
    ],
  ],
  [lock, 'FileLock', ['lock', 'tryLock', 'unlock', 'close', 'breakLock']],
  [lock, 'LockManager', ['acquire', 'tryAcquire', 'acquireAll', 'release', 'releaseAll', 'breakLock', 'close']],
  [lock, 'FileState', ['acquire', 'release', 'close']],
  [backup, 'BackupManager', ['createBackup', 'restoreBackup', 'list', 'diff', 'verify', 'prune', 'cleanup', 'close']],
  [
    backup,
    'RecoveryManager',
    ['addRecoveryPoint', 'attemptRecovery', 'recover', 'pending', 'outlook', 'emergencyCleanup', 'close'],
  ],
];

/** By its parent, in whichever entry points it is thrown from. */
const ERRORS: Readonly<Record<string, readonly (readonly [Entry, string])[]>> = {
  SafeOperationError: [
    [atomic, 'ValidationError'],
    [atomic, 'AtomicWriteError'],
    [atomic, 'IntegrityError'],
    [atomic, 'FileSizeError'],
    [lock, 'LockError'],
    [backup, 'BackupError'],
    [backup, 'RecoveryError'],
  ],
  ValidationError: [
    [atomic, 'PathError'],
    [atomic, 'PermissionError'],
    [atomic, 'ContentError'],
  ],
  LockError: [
    [lock, 'LockTimeoutError'],
    [lock, 'DeadlockError'],
    [lock, 'AlreadyLockedError'],
  ],
  BackupError: [
    [backup, 'StorageError'],
    [backup, 'VersionError'],
  ],
  RecoveryError: [
    [backup, 'RestoreError'],
    [backup, 'StateError'],
  ],
};

test('every function and class that users know the durable layers by is there', () => {
  for (const [entry, names] of FUNCTIONS) {
    for (const name of names) assert.equal(typeof entry[name], 'function', name);
  }
  for (const [entry, name, methods] of CLASSES) {
    const { prototype } = entry[name] as { prototype: Entry & { [Symbol.asyncDispose]?: unknown } };
    for (const method of methods) assert.equal(typeof prototype[method], 'function', `${name}.${method}`);
    if (name !== 'AtomicFileOperations') assert.equal(typeof prototype[Symbol.asyncDispose], 'function', name);
  }
});

test('the errors of the durable layers descend from each other as their names promise', () => {
  for (const [parent, children] of Object.entries(ERRORS)) {
    for (const [entry, name] of children) {
      const { prototype } = entry[name] as { prototype: object };
      assert.equal(Object.getPrototypeOf(prototype).constructor.name, parent, name);
    }
  }
});
