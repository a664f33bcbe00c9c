/** What walks and copies run on: worker threads, or io_uring. */

import { constants } from 'node:os';
import { native } from './load.js';

/** The order of Engine in native/engine/uring/engine.h. */
export const ENGINES = ['auto', 'threads', 'io_uring'] as const;
/**
 * `'auto'`: threads, with io_uring for those operations and file systems where it was measured to be faster. `'threads'`: system calls, one
 * after the other on each thread. `'io_uring'`: wherever it has the operation.
 */
export type Engine = (typeof ENGINES)[number];

/** The order of RingState in native/engine/uring/availability.h. */
const [AVAILABLE, NOT_BUILT, DISABLED, REFUSED] = [0, 1, 2, 3];

/** Why there is no io_uring; undefined where there is. */
export function whyNoRing(): string | undefined {
  const { ringState, ringErrno } = native.capabilities();
  switch (ringState) {
    case AVAILABLE:
      return undefined;
    case NOT_BUILT:
      return 'this build of dirfd has no liburing';
    case DISABLED:
      return 'DIRFD_DISABLE names it';
    case REFUSED:
      return refusal(ringErrno);
    default:
      return 'this kernel lacks operations that are needed; Linux 5.6 has them';
  }
}

function refusal(errno: number): string {
  switch (errno) {
    case constants.errno.ENOSYS:
      return 'this kernel has no io_uring (ENOSYS)';
    case constants.errno.EPERM:
      return 'forbidden by kernel.io_uring_disabled or by the container (EPERM)';
    case constants.errno.ENOMEM:
      return 'too little memory may be locked (ENOMEM, see RLIMIT_MEMLOCK)';
    default:
      return `the kernel refuses it (errno ${errno})`;
  }
}

/** DIRFD_ENGINE in the environment is the default in place of `'auto'`; what it names and cannot be had is left to threads. */
export function defaultEngine(): Engine {
  const wanted = process.env.DIRFD_ENGINE;
  return wanted === 'threads' || (wanted === 'io_uring' && whyNoRing() === undefined) ? wanted : 'auto';
}
