/** The options of copyTree, and the same with their defaults filled in. */

import { settleEngine } from '../dirfd/engine.js';
import { toInteger } from '../dirfd/flags.js';
import { type ErrorSubject, ownError } from '../errors.js';
import type { Engine } from '../native/engine.js';
import { native } from '../native/load.js';
import { parallelism } from '../native/parallelism.js';
import { CHOICES } from '../native/trees.js';
import { type KeepRuleOptions, type PackedRules, packRules } from './keep-rules.js';
import { TreeFilter, type TreeFilterOptions } from './tree-filter.js';

/** `'auto'`: where it helps. `'always'`: fail, or make holes, rather than not. `'never'`: not at all. */
export type Choice = (typeof CHOICES)[number];

export interface CopyOptions extends TreeFilterOptions, KeepRuleOptions {
  /**
   * Share extents with the source (FICLONE) instead of copying bytes. `'auto'` does where both lie on one file system that can; `'always'`
   * fails where it cannot. Default `'auto'`.
   */
  readonly reflink?: Choice | undefined;
  /** Holes: `'auto'` exactly as in the source, `'always'` also where the source has blocks of zeros, `'never'` none. Default `'auto'`. */
  readonly sparse?: Choice | undefined;
  /** Owner and group, by id. Without, what is made belongs to this process, and set-user-id bits are dropped. Default true. */
  readonly owner?: boolean | undefined;
  /** Extended attributes, file capabilities included. Default true. */
  readonly xattrs?: boolean | undefined;
  /**
   * POSIX ACLs, default ACLs of directories included. Without one, a mode's group bits are those of the ACL's entry for the owning group, not the
   * mask that stat shows: nobody gets more than before. Default true.
   */
  readonly acl?: boolean | undefined;
  /** Modification times, in nanoseconds. Default true. */
  readonly times?: boolean | undefined;
  /** Access times too. Default false. */
  readonly accessTimes?: boolean | undefined;
  /**
   * Inode flags of files and directories: immutable, append-only, nodump and what else chattr(1) sets. Costs further calls a file. Default
   * false.
   */
  readonly flags?: boolean | undefined;
  /** Project ids of files and directories, and whether a directory hands its own down. Costs further calls a file. Default false. */
  readonly projectIds?: boolean | undefined;
  /** Files with several names become files with several names. Default true; without, each name becomes a file of its own. */
  readonly hardLinks?: boolean | undefined;
  /**
   * What an entry that is there already means: `'replace'` it, in one step; `'keep'` it; or `'error'` (EEXIST). Directories are entered
   * in any case. A directory never gives way to something else unless `delete` is on. Default `'replace'`.
   */
  readonly existing?: 'replace' | 'keep' | 'error' | undefined;
  /**
   * Leave a file's content alone where kind, size and modification time are the same on both sides; owner, mode and xattrs are compared
   * and set right. Default false.
   */
  readonly update?: boolean | undefined;
  /**
   * As `update`, but compare the bytes of files of one size instead of trusting their times. Reads both sides whole, up to the first
   * difference; a file of the same bytes and another time only gets the time. Default false.
   */
  readonly checksum?: boolean | undefined;
  /**
   * Remove what the source does not have, but for what the filters leave out: directory by directory (true); `'before'` anything is copied, which
   * makes room; or `'after'` everything is, and then only if nothing has failed. Nothing is ever removed from a directory whose source could not be
   * listed whole. Default false.
   */
  readonly delete?: boolean | 'before' | 'after' | undefined;
  /**
   * The most entries that may be removed. A tree that would go beyond stays whole, as an error (`ERR_DIRFD_DELETE_LIMIT`) in the report.
   * Default: any number.
   */
  readonly maxDelete?: number | undefined;
  /** With `delete`, remove what the filters leave out too, also where the source has it. Default false. */
  readonly deleteExcluded?: boolean | undefined;
  /** Change nothing; the report and the events say what would be done. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Emit an `'entry'` event for every entry that is made, changed or removed, with what differs. Default false. */
  readonly itemize?: boolean | undefined;
  /**
   * Leave out what is mounted below the source: mount points become empty directories. Default false, but for a source whose handle has
   * `crossMounts: false`. What is mounted below a destination whose handle has it is an error, EXDEV.
   */
  readonly oneFileSystem?: boolean | undefined;
  /** `'stop'` rejects with the first failure; `'continue'` lists failures in the report. Default `'stop'`. */
  readonly onError?: 'stop' | 'continue' | undefined;
  /**
   * Read each file back after it was written, before it gets its name or its time, and compare it with its source. Its pages are written out
   * and dropped first, so that they come from the disk; some file systems (tmpfs, FUSE, network) and disk caches answer from memory all the
   * same. What differs is ERR_DIRFD_INTEGRITY, and removed. Files that `update` leaves alone are not read. Default false.
   */
  readonly verify?: boolean | undefined;
  /**
   * Keep files of 4 MiB and more that are cut off, by an abort, an error or a kill, beside their places in private directories, and go on with
   * those that an earlier copy has kept: their bytes are compared with the source's from the first on, and used as far as they are the same. A
   * copy without it removes them. Not with `atomic`, nor with `flags`. A source that has changed, or another `sparse`, begins anew. Default false.
   */
  readonly resume?: boolean | undefined;
  /**
   * Copy the whole directory under a private name beside its place, and put it there in one step (renameat2(2)), when all of it is there: whoever
   * looks sees all or nothing of it. On failure or abort nothing has changed. A directory that is there is replaced, with all it holds, where
   * `delete` allows that and `maxDelete` does not bound it; `update` finds nothing to leave alone. Not with `flags`: what is immutable could be
   * neither moved nor removed. A single file is replaced in one step in any case. Default false.
   */
  readonly atomic?: boolean | undefined;
  /** Bytes a second over all threads, holes and shared extents not counted. Default 0: no limit. */
  readonly bandwidthLimit?: number | undefined;
  /**
   * How often to try again what failed for a reason that may pass: EAGAIN, EBUSY, ETXTBSY, ETIMEDOUT, ESTALE, EMFILE, ENFILE, ENOMEM, a file that
   * was replaced or written to all the time (ERR_DIRFD_CHANGED, ERR_DIRFD_TORN); EIO once. The report counts. Default 0.
   */
  readonly retries?: number | undefined;
  /** Milliseconds before another try. Default 200. */
  readonly retryDelay?: number | undefined;
  /** Make it durable: `'each'` file before the next step, all at the `'end'` (syncfs(2)), or `'none'`. Default `'none'`. */
  readonly fsync?: 'none' | 'end' | 'each' | undefined;
  /**
   * `'io_uring'`: long stretches of data, 1 MiB and more, go past the page cache (O_DIRECT) on an io_uring, for a fraction of the processor
   * time, and names are stat'ed, and small files read, many at a time; `ERR_DIRFD_UNSUPPORTED` where it cannot be had. `'auto'` (default) takes it
   * where a server answers, and for such stretches with `fsync` if they are not cached; `'threads'` never.
   */
  readonly engine?: Engine | undefined;
  /**
   * Threads. Default: 2 per processor, at most 8; 32 where they mostly wait, that is with `fsync: 'each'`, or where a server answers on either side
   * (NFS, SMB, FUSE, …); fewer where descriptors are short.
   */
  readonly concurrency?: number | undefined;
  /** Stops within a moment; the promise rejects with the signal's reason. What is complete stays, what is not is removed. */
  readonly signal?: AbortSignal | undefined;
}

type Plain = Exclude<keyof CopyOptions, keyof TreeFilterOptions | keyof KeepRuleOptions | 'signal'>;

export type Settled = { readonly [K in Plain]-?: Exclude<CopyOptions[K], undefined> } & {
  /** Undefined where everything takes part. */
  readonly filter: TreeFilter | undefined;
  readonly rules: PackedRules;
  /** Entries that one thread takes at a time; a directory with more is shared out. */
  readonly range: number;
  /** Behind which side a server answers. */
  readonly served: { readonly source: boolean; readonly destination: boolean };
};

/** Enough to make a native call cheap, few enough to spread a wide directory over all threads. */
const RANGE = 512;

export function settle(options: CopyOptions, subject: ErrorSubject): Settled {
  if (options.atomic && options.resume) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'atomic leaves nothing behind that resume could go on with', subject);
  }
  if (options.resume && options.flags) {
    const why = 'a file gets its flags only with its name, and resume gives it that last: not both';
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', why, subject);
  }
  if (options.atomic && options.flags) {
    const why = 'atomic moves and removes whole trees, and flags may make them immutable: not both';
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', why, subject);
  }
  return {
    reflink: oneOf(options.reflink ?? 'auto', CHOICES, 'reflink', subject),
    sparse: oneOf(options.sparse ?? 'auto', CHOICES, 'sparse', subject),
    owner: options.owner ?? true,
    xattrs: options.xattrs ?? true,
    acl: options.acl ?? true,
    times: options.times ?? true,
    accessTimes: options.accessTimes ?? false,
    hardLinks: options.hardLinks ?? true,
    existing: oneOf(options.existing ?? 'replace', ['replace', 'keep', 'error'] as const, 'existing', subject),
    update: (options.update ?? false) || (options.checksum ?? false),
    checksum: options.checksum ?? false,
    delete: oneOf(options.delete ?? false, [false, true, 'before', 'after'] as const, 'delete', subject),
    maxDelete: mostDeleted(options.maxDelete, subject),
    flags: options.flags ?? false,
    projectIds: options.projectIds ?? false,
    rules: packRules(options, options.owner ?? true, subject),
    deleteExcluded: options.deleteExcluded ?? false,
    filter: TreeFilter.from(options, subject),
    dryRun: options.dryRun ?? false,
    itemize: options.itemize ?? false,
    oneFileSystem: options.oneFileSystem ?? false,
    onError: oneOf(options.onError ?? 'stop', ['stop', 'continue'] as const, 'onError', subject),
    fsync: oneOf(options.fsync ?? 'none', ['none', 'end', 'each'] as const, 'fsync', subject),
    verify: options.verify ?? false,
    resume: options.resume ?? false,
    atomic: options.atomic ?? false,
    bandwidthLimit: whole(options.bandwidthLimit ?? 0, Number.MAX_SAFE_INTEGER, 'bandwidthLimit', subject),
    retries: whole(options.retries ?? 0, 1_000_000, 'retries', subject),
    retryDelay: whole(options.retryDelay ?? 200, 3_600_000, 'retryDelay', subject),
    engine: settleEngine(options.engine, subject),
    concurrency: threads(options.concurrency, subject),
    range: RANGE,
    served: { source: false, destination: false },
  };
}

function whole(value: number, most: number, name: string, subject: ErrorSubject): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw ownError(
    'ERR_DIRFD_INVALID_ARGUMENT',
    `${name} must be a whole number from 0 to ${most}, not ${value}`,
    subject,
  );
}

export function threads(wanted: number | undefined, subject: ErrorSubject): number {
  if (wanted !== undefined && (!Number.isInteger(wanted) || wanted < 1 || wanted > 256)) {
    throw ownError(
      'ERR_DIRFD_INVALID_ARGUMENT',
      `concurrency must be an integer from 1 to 256, not ${wanted}`,
      subject,
    );
  }
  return affordable(wanted ?? Math.min(2 * parallelism, 8));
}

/** As many threads as there are descriptors for. */
export function affordable(threads: number): number {
  return Math.min(threads, native.capabilities().affordableThreads);
}

function mostDeleted(wanted: number | undefined, subject: ErrorSubject): number {
  if (wanted === undefined || wanted === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  return toInteger(wanted, 'maxDelete', 0, Number.MAX_SAFE_INTEGER, subject);
}

export function oneOf<T extends string | boolean>(
  value: T,
  allowed: readonly T[],
  name: string,
  subject: ErrorSubject,
): T {
  if (allowed.includes(value)) return value;
  throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `${name} must be one of ${allowed.join(', ')}, not '${value}'`, subject);
}
