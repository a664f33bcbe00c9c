/** What a walk is asked to do: the options, their defaults, and their checks. */

import { constants } from 'node:fs';
import { settleEngine } from '../dirfd/engine.js';
import type { Kind } from '../dirfd/kind.js';
import { type ErrorSubject, type FsError, ownError } from '../errors.js';
import { ENGINES, type Engine } from '../native/engine.js';
import { native } from '../native/load.js';
import { parallelism } from '../native/parallelism.js';
import type { NativeWalkOptions } from '../native/surface.js';
import type { Entry } from './entry.js';

/** The order of Order in native/engine/walk/options.h. */
export const ORDERS = ['any', 'breadth', 'depth', 'sorted'] as const;
export type WalkOrder = (typeof ORDERS)[number];

/** What a filter says of an entry: report it; leave it out, but enter it if it is a directory; leave out it and all below it. */
export type FilterDecision = 'include' | 'skip' | 'prune';

/** `utf8`: names are strings, `buffer`: names are Buffers. */
export type WalkEncoding = 'utf8' | 'buffer';
/** What names and paths are in each encoding. */
export type NameOf<E extends WalkEncoding> = E extends 'buffer' ? Buffer : string;

export interface WalkOptions<E extends WalkEncoding = WalkEncoding> {
  /**
   * - `'any'` (default): the fastest, on several threads. A directory may come after what it holds.
   * - `'breadth'`: all entries of one depth before any of the next.
   * - `'depth'`: a directory, then all that is below it, in the file system's order.
   * - `'sorted'`: by the bytes of the paths, as `LC_ALL=C sort` puts them. Each directory's names are held in memory at once.
   *
   * All but `'any'` run on one thread.
   */
  readonly order?: WalkOrder | undefined;
  /** With order `depth` or `sorted`: an entry whose event is `'leave'` after all that is below a directory. Default false. */
  readonly leave?: boolean | undefined;
  /** How many levels to go down; 1 gives the root's own entries. Default: all. */
  readonly maxDepth?: number | undefined;
  /** Enters no other mount, bind mounts included; mount points themselves are reported. Default false. */
  readonly oneFileSystem?: boolean | undefined;
  /**
   * `'report'` (default): a symlink is an entry like any other. `'follow'`: it counts as what it points to, as long as that is beneath the
   * root; one that dangles, leads out, or to a directory that it lies in, is reported as a link.
   */
  readonly symlinks?: 'report' | 'follow' | undefined;
  /**
   * Globs (picomatch); only what matches one of them is reported. A glob without '/' is matched with the name, one with '/' with the path
   * from the root. Names that begin with a dot are ordinary. Directories that can hold no match are not opened. Default: everything.
   */
  readonly include?: string | readonly string[] | undefined;
  /** Globs, as for `include`; what matches is neither reported nor entered. */
  readonly exclude?: string | readonly string[] | undefined;
  /**
   * Leaves out what the .gitignore files in the tree exclude, as git does, and whatever is called `.git`. Files above the root,
   * `.git/info/exclude` and git's configuration are not read. Default false.
   */
  readonly gitignore?: boolean | undefined;
  /**
   * Asked once an entry, after globs and gitignore, some batches ahead of the consumer; with `kinds`, of those kinds and of directories only.
   * What it throws ends the walk.
   */
  readonly filter?: ((entry: Entry<NameOf<E>>) => FilterDecision) | undefined;
  /** Report these kinds only; directories are entered all the same. Default: all. */
  readonly kinds?: readonly Kind[] | undefined;
  /**
   * Threads of order `any`, 1 to 64, or `'auto'` (default): as many as there are processors, 16 at most; while they wait for a disk or a
   * server, more, up to 32, and fewer again. Each is started only when there is work for it.
   */
  readonly concurrency?: number | 'auto' | undefined;
  /**
   * `'threads'`, `'io_uring'` (`ERR_DIRFD_UNSUPPORTED` where it cannot be had), or `'auto'` (default): io_uring where a server answers and threads
   * do little but wait for it, see docs/engines.md. With io_uring the orders `depth` and `sorted` stat up to 64 names ahead.
   */
  readonly engine?: Engine | undefined;
  /** `'utf8'` (default): names are strings, and bytes that are not UTF-8 show as U+FFFD. `'buffer'`: names are Buffers, exact. */
  readonly encoding?: E | undefined;
  /**
   * What becomes of a directory that cannot be read, or an entry that cannot be stat'ed. `'throw'` (default): the walk ends with the error.
   * `'report'`: an entry whose event is `'error'`. A function: called with the error; the walk goes on, unless it throws. What has merely
   * vanished is no error, see {@link WalkStatistics.vanished}.
   */
  readonly onError?: 'throw' | 'report' | ((error: FsError) => void) | undefined;
  /** Ends the walk with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Entries in a batch at most; the first ones are smaller. Default 1000. */
  readonly batchSize?: number | undefined;
  /** Bytes of batches that may wait for a slow consumer, at most. Default 1 MiB. */
  readonly highWaterMark?: number | undefined;
  /** Directories held open at most, 3 or more. Fewer are slower, never wrong. Default: an eighth of RLIMIT_NOFILE, at most 256. */
  readonly maxOpenDirectories?: number | undefined;
}

/** Counted by the walk's threads, so ahead of the consumer. */
export interface WalkStatistics {
  /** Entries reported, before `include` and `filter`. */
  readonly entries: number;
  /** Directories listed, the root included. */
  readonly directories: number;
  readonly errors: number;
  /** Names that were gone before they could be looked at. */
  readonly vanished: number;
  /** Directories reached again from further up, for want of descriptors. */
  readonly reopened: number;
  /** Threads started. */
  readonly threads: number;
}

/** Types as bits: (S_IFMT >> 12). */
const KIND_BITS: Readonly<Record<Kind, number>> = {
  file: bitOf(constants.S_IFREG),
  directory: bitOf(constants.S_IFDIR),
  symlink: bitOf(constants.S_IFLNK),
  fifo: bitOf(constants.S_IFIFO),
  socket: bitOf(constants.S_IFSOCK),
  'character-device': bitOf(constants.S_IFCHR),
  'block-device': bitOf(constants.S_IFBLK),
  unknown: 1,
};

function bitOf(mode: number): number {
  return 1 << ((mode & constants.S_IFMT) >> 12);
}

/** Whether a mode's type is among the kinds of a mask made by {@link kindMask}. */
export function isAmong(kinds: number, mode: number): boolean {
  return (kinds & bitOf(mode)) !== 0;
}

const ALL_KINDS = 0xffff;

export function kindMask(kinds: readonly Kind[] | undefined, subject: ErrorSubject): number {
  if (kinds === undefined) return ALL_KINDS;
  return kinds.reduce((mask, kind) => {
    const bit = KIND_BITS[kind];
    if (bit === undefined) throw invalid(`unknown kind '${kind}'; there are ${Object.keys(KIND_BITS)}`, subject);
    return mask | bit;
  }, 0);
}

/** The part of the options that the engine carries out. */
export function toNativeOptions(options: WalkOptions, asks: boolean, subject: ErrorSubject): NativeWalkOptions {
  const { order = 'any', symlinks = 'report' } = options;
  const orderIndex = ORDERS.indexOf(order);
  if (orderIndex < 0) throw invalid(`unknown order '${order}'; there are ${ORDERS}`, subject);
  if (symlinks !== 'report' && symlinks !== 'follow')
    throw invalid(`symlinks: '${symlinks}' is not one of report, follow`, subject);
  if (options.leave && order !== 'depth' && order !== 'sorted') {
    throw invalid(`leave events come with the orders depth and sorted, not with ${order}`, subject);
  }
  return {
    order: orderIndex,
    engine: ENGINES.indexOf(settleEngine(options.engine, subject)),
    maxDepth:
      options.maxDepth === undefined || options.maxDepth === Number.POSITIVE_INFINITY
        ? 0xffff_ffff
        : whole(options.maxDepth, 'maxDepth', 1, 0xffff_ffff, subject),
    oneFileSystem: options.oneFileSystem ?? false,
    follow: symlinks === 'follow',
    ask: asks,
    ignoreFiles: options.gitignore ?? false,
    leave: options.leave ?? false,
    kinds: kindMask(options.kinds, subject),
    ...toThreads(options.concurrency, subject),
    openDirectories: whole(
      options.maxOpenDirectories ?? defaultOpenDirectories(),
      'maxOpenDirectories',
      3,
      1 << 20,
      subject,
    ),
    batchEntries: whole(options.batchSize ?? 1000, 'batchSize', 1, 65_536, subject),
    batchBytes: 256 * 1024,
    outstandingBytes: whole(options.highWaterMark ?? 1 << 20, 'highWaterMark', 1, 1 << 30, subject),
  };
}

/** While a disk keeps threads waiting; what it and the kernel gain from more is little (bench/README.md, walk-cold). */
const MOST_WAITING = 32;
/** Beyond it threads do not get faster, they get into each other's way. */
const MOST_RUNNING = 16;

/** Any number that was asked for is exact; else it follows what threads do with their time (native/engine/walk/thread_target.h). */
function toThreads(
  concurrency: number | 'auto' | undefined,
  subject: ErrorSubject,
): Pick<NativeWalkOptions, 'threads' | 'runningThreads'> {
  if (concurrency === undefined || concurrency === 'auto') {
    return { threads: MOST_WAITING, runningThreads: Math.min(parallelism, MOST_RUNNING) };
  }
  const threads = whole(concurrency, 'concurrency', 1, 64, subject);
  return { threads, runningThreads: threads };
}

function defaultOpenDirectories(): number {
  return Math.max(Math.min(Math.floor(native.capabilities().fdLimit / 8), 256), 3);
}

function whole(value: number, name: string, least: number, most: number, subject: ErrorSubject): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(`${name} must be a whole number from ${least} to ${most}, not ${String(value)}`, subject);
}

function invalid(why: string, subject: ErrorSubject): FsError {
  return ownError('ERR_DIRFD_INVALID_ARGUMENT', why, subject);
}

/** Checks what toNativeOptions has no part in. */
export function checkPolicies({ onError, encoding }: WalkOptions, subject: ErrorSubject): void {
  if (onError !== undefined && onError !== 'throw' && onError !== 'report' && typeof onError !== 'function') {
    throw invalid(`onError must be 'throw', 'report' or a function`, subject);
  }
  if (encoding !== undefined && encoding !== 'utf8' && encoding !== 'buffer') {
    throw invalid(`encoding must be 'utf8' or 'buffer', not ${String(encoding)}`, subject);
  }
}
