/** What this kernel and this container allow, and what dirfd does where they do not. */

import { whyNoRing } from './native/engine.js';
import { native } from './native/load.js';

/** One optional kernel feature. */
export interface Capability {
  /** The system call, or what it is about. */
  readonly name: string;
  /** Whether this kernel and container have it; false, too, where DIRFD_DISABLE names it. */
  readonly available: boolean;
  /** The Linux version that brought it. */
  readonly since: string;
  /** What is used instead; the results are the same unless it says otherwise. */
  readonly fallback: string;
}

/** What {@link capabilities} tells. */
export interface Capabilities {
  /** Release of the running kernel, as `uname -r` prints it. */
  readonly kernel: string;
  /** Soft limit on open descriptors (RLIMIT_NOFILE). */
  readonly fdLimit: number;
  /** What the engine `'auto'` may make use of, beside threads. */
  readonly engine: 'threads' | 'io_uring';
  /** Each optional kernel feature that dirfd uses. */
  readonly features: readonly Capability[];
}

const FEATURES: readonly {
  readonly key: string;
  readonly name: string;
  readonly since: string;
  readonly fallback: string;
}[] = [
  { key: 'openat2', name: 'openat2', since: '5.6', fallback: 'one openat(O_PATH|O_NOFOLLOW) a path component' },
  { key: 'proc', name: '/proc/self/fd', since: '2.2', fallback: 'open by name, then compare mount and inode' },
  { key: 'fchmodat2', name: 'fchmodat2', since: '6.6', fallback: 'chmod through /proc/self/fd' },
  { key: 'xattrat', name: '*xattrat', since: '6.13', fallback: 'l*xattr through /proc/self/fd or in the directory' },
  { key: 'copy_file_range', name: 'copy_file_range', since: '4.5', fallback: 'read and write' },
  { key: 'ficlone', name: 'FICLONE', since: '4.5', fallback: 'copy_file_range, then read and write' },
  {
    key: 'umask_thread',
    name: 'unshare(CLONE_FS)',
    since: '2.6.16',
    fallback: 'create with 0600 or 0700, then fchmod',
  },
  { key: 'tmpfile', name: 'O_TMPFILE', since: '3.11', fallback: 'a random name, created with O_EXCL' },
  { key: 'io_uring', name: 'io_uring', since: '5.6', fallback: 'worker threads' },
];

/** Asks the kernel; touches no user file. */
export function capabilities(): Capabilities {
  const facts = native.capabilities();
  const why = whyNoRing();
  return {
    kernel: facts.kernel,
    fdLimit: facts.fdLimit,
    engine: why === undefined ? 'io_uring' : 'threads',
    features: FEATURES.map(({ key, ...feature }) => ({
      ...feature,
      available: facts.features[key] === true,
      ...(key === 'io_uring' && why !== undefined ? { fallback: `${feature.fallback}: ${why}` } : {}),
    })),
  };
}
