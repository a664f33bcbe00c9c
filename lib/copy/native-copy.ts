/** From the options to the native run of a copy. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL } from '../dirfd/fd.js';
import type { Stat } from '../dirfd/stat.js';
import type { Engine } from '../native/engine.js';
import { native } from '../native/load.js';
import type { NativeJob } from '../native/surface.js';
import { CHOICES, type NativeCopy, type State } from '../native/trees.js';
import type { Settled } from './options.js';

export interface TreeCopyRoots {
  readonly source: DirectoryFd;
  /** Absent in a dry run onto nothing. */
  readonly destination: DirectoryFd | undefined;
  readonly state: State;
  readonly stat: Stat;
}

export function newNativeCopy(
  { source, destination }: Pick<TreeCopyRoots, 'source' | 'destination'>,
  options: Settled,
  job: NativeJob,
): NativeCopy {
  native.setPoolLimit(options.concurrency);
  return native.newCopy(
    source[INTERNAL].handle,
    (destination ?? source)[INTERNAL].handle,
    job,
    CHOICES.indexOf(options.reflink),
    CHOICES.indexOf(options.sparse),
    options.owner,
    options.xattrs,
    options.acl,
    options.times,
    options.accessTimes,
    options.hardLinks,
    options.checksum,
    options.fsync === 'each',
    options.onError === 'continue',
    options.flags,
    options.projectIds,
    options.rules.users,
    options.rules.groups,
    options.rules.modes,
    options.verify,
    options.resume,
    options.retries,
    options.retryDelay,
    options.range,
    options.bandwidthLimit,
    moveOf(options),
    statsOf(options.engine, options.served.source),
    statsOf(options.engine, options.served.destination),
    readsOf(options),
  );
}

/**
 * How long stretches of files are moved: 0 by read and write, 1 past the page cache on a ring where they are not in it, 2 on a ring. A ring writes to
 * the disk itself, so by itself it is taken only where the copy has to wait for that anyway. A limit is kept by threads.
 */
function moveOf({ engine, fsync, bandwidthLimit }: Settled): number {
  if (engine === 'threads' || bandwidthLimit > 0) return 0;
  if (engine === 'io_uring') return 2;
  return fsync === 'none' ? 0 : 1;
}

/** Descriptors, in all and a thread, from which on each thread may hold 16 files more, and a ring. */
const PLENTY_OF_DESCRIPTORS = 4096;
const PLENTY_A_THREAD = 32;

/** How small files are read: 0 each in its turn, 1 many at a time on a ring where the source takes its time, 2 always so. */
function readsOf({ engine, served, bandwidthLimit, concurrency }: Settled): number {
  const plenty = Math.max(PLENTY_OF_DESCRIPTORS, PLENTY_A_THREAD * concurrency);
  if (bandwidthLimit > 0 || native.capabilities().fdLimit < plenty) return 0;
  return statsOf(engine, served.source);
}

/** How the names of a directory are stat'ed: 0 one after the other, 1 together where that takes its time, 2 together on a ring. */
function statsOf(engine: Engine, isServed: boolean): number {
  if (engine === 'io_uring') return 2;
  return engine === 'auto' && isServed ? 1 : 0;
}
