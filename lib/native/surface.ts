/**
 * What the addon exports, typed. Every verb has an asynchronous form, which runs on libuv's pool, and a synchronous one. Both fail with
 * {@link NativeFailure}, never with an Error: lib/errors.ts makes those.
 */

import type { ReplaceVerbs, WaitingVerbs } from './replace.js';
import type { NativeTrees } from './trees.js';

/** An open descriptor, opaque. Closed by `close`, or when it is garbage. */
export interface NativeHandle {
  readonly __nativeHandle: never;
}

/** A relative path or a name, as text or as bytes; validated by lib/dirfd/path.ts. */
export type NativePath = string | Uint8Array;

/** How a path is resolved; the order of native/ops/resolve.h. */
export const SCOPES = ['no-symlinks', 'beneath', 'in-root'] as const;

/** LockKind of native/sys/lock.h; the last unlocks. */
export const LOCK_KINDS = ['shared', 'exclusive', 'none'] as const;

/** What a failed call leaves: see native/sys/result.h. */
export interface NativeFailure {
  readonly errno: number;
  readonly call: number;
  readonly reason: number;
  readonly subject: number;
  readonly flags: number;
}

/** What a file is known again by (native/ops/same_file.h). */
export type SeenFile = readonly [mountId: bigint, ino: bigint, birthtimeNs: bigint];

/** Where no time is given: UTIME_NOW and UTIME_OMIT of utimensat(2). */
export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;

/** The verbs, as argument lists and results. */
export interface Verbs extends ReplaceVerbs {
  openRoot(path: NativePath, scope: number, crossMounts: boolean): NativeHandle;
  openDirectory(
    root: NativeHandle,
    path: NativePath,
    follow: boolean,
    scope: number,
    crossMounts: boolean,
  ): NativeHandle;
  /** Of whatever the path leads to, out of the directory too: good for a stat, and as a directory to go on from (O_PATH). */
  openBeyond(directory: NativeHandle, path: NativePath): NativeHandle;
  openFile(root: NativeHandle, path: NativePath, flags: number, mode: number, follow: boolean): NativeHandle;
  openTemporary(directory: NativeHandle, mode: number): NativeHandle;
  close(handle: NativeHandle): void;

  mkdir(root: NativeHandle, path: NativePath, mode: number): void;
  /** The first directory that was made; empty where all were there. */
  mkdirs(root: NativeHandle, path: NativePath, mode: number): Buffer;
  unlink(root: NativeHandle, path: NativePath): void;
  rmdir(root: NativeHandle, path: NativePath): void;
  symlink(root: NativeHandle, path: NativePath, target: NativePath): void;
  readlink(root: NativeHandle, path: NativePath): Buffer;
  /** Of the very symlink that was seen, or a failure with the reason `changed`. */
  readlinkOf(root: NativeHandle, path: NativePath, follow: boolean, ...seen: SeenFile): Buffer;
  mknod(root: NativeHandle, path: NativePath, mode: number, device: number | bigint): void;
  rename(root: NativeHandle, path: NativePath, toRoot: NativeHandle, toPath: NativePath, flags: number): void;
  link(root: NativeHandle, path: NativePath, toRoot: NativeHandle, toPath: NativePath): void;
  linkInto(file: NativeHandle, root: NativeHandle, path: NativePath, replace: boolean): void;

  /** A StatRecord. */
  stat(root: NativeHandle, path: NativePath, follow: boolean): Buffer;
  statFd(file: NativeHandle): Buffer;
  /** The reason `changed` where the descriptor is not that of the file that was seen. */
  requireSameFile(file: NativeHandle, ...seen: SeenFile): void;
  access(root: NativeHandle, path: NativePath, mode: number): void;
  chmod(root: NativeHandle, path: NativePath, mode: number): void;
  chmodFd(file: NativeHandle, mode: number): void;
  chown(root: NativeHandle, path: NativePath, uid: number, gid: number): void;
  chownFd(file: NativeHandle, uid: number, gid: number): void;
  utimes(
    root: NativeHandle,
    path: NativePath,
    atimeSeconds: bigint,
    atimeNanoseconds: number,
    mtimeSeconds: bigint,
    mtimeNanoseconds: number,
  ): void;
  utimesFd(
    file: NativeHandle,
    atimeSeconds: bigint,
    atimeNanoseconds: number,
    mtimeSeconds: bigint,
    mtimeNanoseconds: number,
  ): void;
  getflags(root: NativeHandle, path: NativePath): number;
  setflags(root: NativeHandle, path: NativePath, flags: number): void;
  statfs(handle: NativeHandle): NativeStatfs;

  /** An empty path stands for the open file itself. */
  getxattr(root: NativeHandle, path: NativePath, attribute: NativePath): Buffer;
  listxattr(root: NativeHandle, path: NativePath): Buffer;
  setxattr(root: NativeHandle, path: NativePath, attribute: NativePath, value: Uint8Array, flags: number): void;
  removexattr(root: NativeHandle, path: NativePath, attribute: NativePath): void;

  /** A packed batch (layout.ts); without `stat`, only type and inode are set. */
  list(root: NativeHandle, path: NativePath, stat: boolean): Buffer;

  /** position -1: at the file's own position. */
  read(file: NativeHandle, into: Uint8Array, position: number): number;
  write(file: NativeHandle, from: Uint8Array, position: number): number;
  readv(file: NativeHandle, position: number, ...into: Uint8Array[]): number;
  writev(file: NativeHandle, position: number, ...from: Uint8Array[]): number;
  /** -1: no data at or after the offset. */
  seek(file: NativeHandle, offset: number, whence: number): number;
  truncate(file: NativeHandle, size: number): void;
  allocate(file: NativeHandle, mode: number, offset: number, length: number): void;
  fsync(handle: NativeHandle): void;
  fdatasync(handle: NativeHandle): void;
  syncfs(handle: NativeHandle): void;
  copyRange(from: NativeHandle, offset: number, to: NativeHandle, toOffset: number, length: number): number;
  clone(source: NativeHandle, destination: NativeHandle): void;
  /** `kind` is an index in LOCK_KINDS. EAGAIN where the lock of another handle is in the way. */
  tryLock(file: NativeHandle, kind: number, start: number, length: number): void;
  /** The kind of lock that is in the way; 2 where none is. */
  findLock(file: NativeHandle, kind: number, start: number, length: number): number;
}

export interface NativeStatfs {
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  readonly namelen: number;
  readonly readOnly: boolean;
}

/** What one long piece of work is cancelled by, and tells its progress by; opaque. */
export interface NativeJob {
  readonly __nativeJob: never;
}

/** A failure and the path, below the tree, that it is about; empty for the tree itself. */
export interface LocatedFailure extends NativeFailure {
  readonly path: Buffer;
}

export interface NativeRemoveReport {
  readonly entries: number;
  readonly failed: number;
  readonly failures: readonly LocatedFailure[];
}

/** Verbs on dirfd's own threads: they have no synchronous form. */
export interface PooledVerbs {
  /**
   * Without `keepGoing` the first failure rejects, a {@link LocatedFailure}; ECANCELED after cancelJob. '.' empties the directory itself.
   * `crossMounts` is the handle's unless given.
   */
  removeTree(
    root: NativeHandle,
    path: NativePath,
    keepGoing: boolean,
    job?: NativeJob,
    crossMounts?: boolean,
  ): Promise<NativeRemoveReport>;
  /**
   * Whatever fails, the rest goes. What is mounted below stays, and so does the `spared` directory, wherever it is met.
   *
   * @param paths each with a NUL after it; the failures' paths begin with them
   */
  removeTrees(
    root: NativeHandle,
    paths: Uint8Array,
    job: NativeJob,
    spared: NativeHandle,
    keepGoing: boolean,
  ): Promise<NativeRemoveReport>;
}

/** A running walk: native/binding/walk.cpp. */
export interface NativeWalk {
  acknowledge(bytes: number): void;
  answer(question: number, decisions: Uint8Array): void;
  cancel(): void;
  hold(alive: boolean): void;
  statistics(): NativeWalkStatistics;
}

/** native/engine/walk/options.h */
export interface NativeWalkOptions {
  /** Index in lib/walk/options.ts's ORDERS. */
  readonly order: number;
  /** Index in lib/native/engine.ts's ENGINES. */
  readonly engine: number;
  readonly maxDepth: number;
  readonly oneFileSystem: boolean;
  readonly follow: boolean;
  readonly ask: boolean;
  readonly ignoreFiles: boolean;
  readonly leave: boolean;
  /** Bit (S_IFMT >> 12) of each type to report. */
  readonly kinds: number;
  readonly threads: number;
  /** Of those, as many as can run at once; the rest are for waiting for a disk. */
  readonly runningThreads: number;
  readonly openDirectories: number;
  readonly batchEntries: number;
  readonly batchBytes: number;
  readonly outstandingBytes: number;
}

export interface NativeWalkStatistics {
  readonly entries: number;
  readonly directories: number;
  readonly errors: number;
  readonly vanished: number;
  readonly reopened: number;
  readonly threads: number;
}

/** Called with each batch, and with undefined once, at the end. A question other than 0 expects an answer. */
export type ReceiveBatch = (batch: Buffer | undefined, question: number) => void;

type AsyncForms = { readonly [V in keyof Verbs]: (...args: Parameters<Verbs[V]>) => Promise<ReturnType<Verbs[V]>> };
type SyncForms = { readonly [V in keyof Verbs as `${V}Sync`]: Verbs[V] };

export interface Native extends AsyncForms, SyncForms, PooledVerbs, WaitingVerbs, NativeTrees {
  readonly layout: Readonly<Record<string, number>>;
  readonly callNames: readonly string[];
  readonly reasonCount: number;
  capabilities(): NativeCapabilities;
  readonly Walk: new (root: NativeHandle, options: NativeWalkOptions, receive: ReceiveBatch) => NativeWalk;
  /** -1 once closed. */
  fdNumber(handle: NativeHandle): number;
  /** Waits on a thread of its own. ECANCELED after cancelLockWait: the file's locks are then what they were. */
  waitLock(file: NativeHandle, kind: number, start: number, length: number, job: NativeJob): Promise<void>;
  cancelLockWait(job: NativeJob): void;
  newJob(): NativeJob;
  cancelJob(job: NativeJob): void;
}

export interface NativeCapabilities {
  readonly kernel: string;
  readonly features: Readonly<Record<string, boolean>>;
  readonly fdLimit: number;
  /** Threads of a copy or comparison for which there are descriptors, 1 at least. */
  readonly affordableThreads: number;
  /** lib/native/engine.ts knows what it means. */
  readonly ringState: number;
  /** Where the kernel refuses a ring, with this errno; else 0. */
  readonly ringErrno: number;
}
